/* Edit: negotiating grids on the map. It joins the state, its panel and its drawing, and what mouse and keys do. */
(function (gm) {
  "use strict";

  const INK = "#24323b", CLOSE = 14.75;

  /* The editor of a page whose data carry what it takes. `app.editing` is set while it is at work. */
  function makeEditor(app) {
    const data = app.data, say = app.say, map = app.map, element = gm.element;
    const root = document.getElementById("gm-app");
    const land = gm.editLand(data.edit, data.frame), state = gm.editState(data, land);
    const chosen = { atoms: [], grid: -1, entry: null };
    let several = false, hovered = -1, pointed = -1, shown = [], proposal = null;
    const outlines = new Map();            // rings of a grid, until it changes

    const acts = {
      move: function (atoms, to) { did(state.move(atoms, to)); },
      merge: function (list) { did(state.merge(list)); },
      split: function (g, parts) { did(state.split(g, parts)); },
      undo: undo, redo: redo, save: save, open: open, finish: stop, clear: function () { choose([]); },
      add: function (atoms) { choose(Array.from(new Set(chosen.atoms.concat(atoms)))); },
      show: function (atoms) { shown = atoms; app.repaintChoice(); },
      point: function (g) { pointed = g; app.repaintChoice(); },
      several: function (on) { several = on; render(); },
      isSeveral: function () { return several; },
      grid: function (g) { pick(g); zoom(state.members(g)); },
      zoom: zoom,
      propose: function (g, number) {
        proposal = g < 0 ? null : { grid: g, number: number, parts: gm.splitInTwo(state, land, g, number) };
        render();
      },
      proposal: function () { return proposal; }
    };
    let panel = null, start = null;

    // -- what is chosen ----------------------------------------------------------------------------------------------
    function choose(atoms) {
      chosen.atoms = atoms; chosen.grid = -1; chosen.entry = null;
      reset();
    }
    function pick(g) {
      chosen.atoms = []; chosen.grid = g; chosen.entry = null;
      reset();
    }
    function reset() {
      proposal = null; pointed = -1; shown = [];
      panel.close();
      panel.tell("");
      render();
    }
    function render() {
      panel.show(chosen);
      start.textContent = state.done.length ? say("edit.start_n", { n: say.number(state.done.length) }) : say("edit.start");
      if (app.editing) app.repaintChoice();
    }
    function refresh() {
      outlines.clear();
      app.changed();
      render();
    }
    function zoom(atoms) {
      const b = land.bounds(Array.from(atoms)), at = function (x, y) { return L.CRS.EPSG3857.pointToLatLng(L.point(x, y), 0); };
      if (isFinite(b[0])) map.fitBounds(L.latLngBounds(at(b[0], b[1]), at(b[2], b[3])), { maxZoom: 17, padding: [80, 80] });
    }

    // -- edits -------------------------------------------------------------------------------------------------------
    function did(entry) {
      if (entry.ok === false) { panel.tell(panel.reason(entry)); return; }
      chosen.atoms = []; chosen.grid = -1; chosen.entry = entry;
      changed(entry);
      panel.tell(panel.what(entry) + say("clause") + entry.after.map(function (c) { return state.title(c.grid) + " " + say.number(c.households) + " " + say("status." + c.status); }).concat(panel.rules(entry)).join(say("clause")), true);
      panel.focus();
    }
    function changed(entry) {
      entry.change.from.concat(entry.change.to).forEach(function (g) { outlines.delete(g); });
      proposal = null; pointed = -1; shown = [];
      panel.close();
      app.changed();
      render();
    }
    function undo() {
      const entry = state.undo();
      if (!entry) return;
      chosen.atoms = []; chosen.grid = -1; chosen.entry = null;
      changed(entry);
      panel.tell(say("edit.undone", { what: panel.what(entry) }));
    }
    function redo() {
      const entry = state.redo();
      if (!entry) return;
      chosen.atoms = []; chosen.grid = -1; chosen.entry = entry;
      changed(entry);
      panel.tell(say("edit.redone", { what: panel.what(entry) }));
    }

    // -- files -------------------------------------------------------------------------------------------------------
    function save() {
      const name = "edits.json", text = JSON.stringify(state.asFile(), null, 1);
      const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
      const link = element("a", { href: address, download: name });
      document.body.appendChild(link);
      link.click();
      link.remove();
      setTimeout(function () { URL.revokeObjectURL(address); }, 10000);
      state.markSaved();
      render();
      panel.tell(say("edit.wrote", { name: name }));
    }
    function open(file) {
      if (!file || state.done.length && !state.isSaved() && !window.confirm(say("edit.replace"))) return;
      file.text().then(function (text) {
        let parsed = null;
        try { parsed = JSON.parse(text); } catch (fault) { parsed = null; }
        const result = state.open(parsed);
        outlines.clear();
        chosen.atoms = []; chosen.grid = -1; chosen.entry = null;
        app.changed();
        reset();
        const where = result.number ? say("edit.failed", { number: result.number, of: result.of }) + say("clause") : "";
        panel.tell(result.ok ? say("edit.opened", { n: say.number(result.n) }) : where + panel.reason(result));
      });
    }
    window.addEventListener("beforeunload", function (event) {
      if (!state.isSaved()) { event.preventDefault(); event.returnValue = ""; }
    });

    // -- mouse and keys ----------------------------------------------------------------------------------------------
    function atomAt(latlng) { return land.at(gm.worldX(latlng.lng), gm.worldY(latlng.lat)); }
    function take(latlng, more) {
      const a = atomAt(latlng);
      if (a < 0) { if (!more) choose([]); return; }
      if (!more) { choose(chosen.atoms.length === 1 && chosen.atoms[0] === a ? [] : [a]); return; }
      choose(chosen.atoms.indexOf(a) >= 0 ? chosen.atoms.filter(function (b) { return b !== a; }) : chosen.atoms.concat([a]));
    }
    document.addEventListener("keydown", function (event) {
      if (!app.editing || /^(?:input|select|textarea)$/i.test(event.target.tagName) && event.target.type !== "checkbox") return;
      const key = event.key.toLowerCase(), command = event.ctrlKey || event.metaKey;
      if (command && key === "z") { event.preventDefault(); if (event.shiftKey) redo(); else undo(); }
      else if (command && key === "y") { event.preventDefault(); redo(); }
      else if (event.key === "Escape") choose([]);
      else if (event.key === "Enter" && event.target === map.getContainer()) { event.preventDefault(); take(map.getCenter(), event.shiftKey || several); }
    });

    // -- drawing -----------------------------------------------------------------------------------------------------
    function ringsOf(g) {
      if (!outlines.has(g)) outlines.set(g, land.rings(land.outline(Array.from(state.members(g)))));
      return outlines.get(g);
    }
    function eachGrid(view, visit) {
      const seen = new Set();
      land.near(view.west, view.north, view.east, view.south, function (a) { if (state.grid[a] >= 0) seen.add(state.grid[a]); });
      seen.forEach(visit);
    }
    function strokeArcs(view, choose, colour, width) {
      const context = view.context, lines = land.lines;
      context.strokeStyle = colour;
      context.lineWidth = width;
      gm.traceAll(lines, view, choose, function () { context.stroke(); });
    }
    const isBorder = function (i) { return land.right[i] < 0 || state.grid[land.left[i]] !== state.grid[land.right[i]]; };
    const layer = {
      draw: function (view) {
        const context = view.context;
        eachGrid(view, function (g) {
          context.beginPath();
          land.trace(view, ringsOf(g));
          context.fillStyle = data.edit.colours[state.count(g).status];
          context.globalAlpha = app.online ? 0.7 : 0.92;
          context.fill("evenodd");
          context.globalAlpha = 1;
        });
      },
      over: function (view) {
        const z = view.zoom;
        if (z >= CLOSE) strokeArcs(view, function (i) { return !isBorder(i); }, "rgba(60,76,85,.38)", z < 16 ? 0.5 : 0.8);
        strokeArcs(view, isBorder, "rgba(255,255,255,.75)", z < 13 ? 1.5 : 4.5);
        strokeArcs(view, isBorder, INK, z < 13 ? 0.8 : z < 15 ? 1.3 : 2);
      },
      words: function (view, labels) {
        if (view.zoom < 12.5) return;
        eachGrid(view, function (g) {
          const count = state.count(g), b = land.bounds(Array.from(state.members(g))), spot = labelSpot(g);
          const wide = (b[2] - b[0]) * view.scale, out = count.status === "above" || count.status === "below";
          const mark = count.status === "above" ? "▲ " : count.status === "below" ? "▼ " : "", size = view.zoom >= 15.5 ? 14 : 12;
          const lines = [{ text: mark + say.number(count.held), font: (out ? 700 : 600) + " " + size + "px " + gm.FONT, size: size, colour: INK }];
          if (wide > 64) lines.unshift({ text: gm.short(state.title(g), 14), font: "500 11px " + gm.FONT, size: 11, colour: "#55636b" });
          labels.text(lines, spot[0] * view.scale - view.ox, spot[1] * view.scale - view.oy, wide);
        });
      }
    };
    /* The middle of that atom of a grid which is nearest to the middle of all. */
    function labelSpot(g) {
      const atoms = Array.from(state.members(g)), box = land.box, middle = [0, 0, 0];
      const centre = function (a) { return [(box[4 * a] + box[4 * a + 2]) / 2, (box[4 * a + 1] + box[4 * a + 3]) / 2]; };
      atoms.forEach(function (a) {
        const size = (box[4 * a + 2] - box[4 * a]) * (box[4 * a + 3] - box[4 * a + 1]), c = centre(a);
        middle[0] += c[0] * size; middle[1] += c[1] * size; middle[2] += size;
      });
      const x = middle[0] / middle[2], y = middle[1] / middle[2];
      let best = null, near = Infinity;
      atoms.forEach(function (a) {
        const c = centre(a), d = Math.hypot(c[0] - x, c[1] - y);
        if (d < near) { near = d; best = c; }
      });
      return best;
    }

    function paintGroup(view, atoms, fill, stroke, width, dash) {
      if (!atoms.length) return;
      const context = view.context;
      context.beginPath();
      land.trace(view, land.rings(land.outline(Array.from(atoms))));
      if (fill) { context.fillStyle = fill; context.fill("evenodd"); }
      context.strokeStyle = "rgba(255,255,255,.9)";
      context.lineWidth = width + 3;
      context.stroke();
      context.setLineDash(dash || []);
      context.strokeStyle = stroke;
      context.lineWidth = width;
      context.stroke();
      context.setLineDash([]);
    }

    // -- on and off --------------------------------------------------------------------------------------------------
    const HIDDEN = ["grids", "atoms", "circles", "blind", "gaps", "findings", "facilities", "entrances", "routes", "served"];
    const editing = {
      hides: function (key) { return HIDDEN.indexOf(key) >= 0; },
      click: function (latlng, event) { take(latlng, several || event && (event.shiftKey || event.ctrlKey || event.metaKey)); },
      hover: function (latlng) {
        const a = latlng ? atomAt(latlng) : -1;
        if (a === hovered) return;
        hovered = a;
        map.getContainer().style.cursor = a >= 0 ? "pointer" : "";
        app.repaintChoice();
      },
      select: function (kind, row, near) {
        if (kind === "grids" && row >= 0 && state.isThere(row)) { pick(row); if (near) zoom(state.members(row)); }
        else if (kind && near) app.zoomTo(kind, row);
      },
      paintChoice: function (view) {
        const own = current();
        own.forEach(function (g) { if (g >= 0) paintGroup(view, state.members(g), null, "#0b4f6c", 2.5); });
        if (pointed >= 0) paintGroup(view, state.members(pointed), "rgba(11,79,108,.14)", "#0b4f6c", 3.5, [9, 5]);
        if (proposal && proposal.parts) paintGroup(view, proposal.parts[1], "rgba(122,104,179,.35)", "#5b4a94", 3);
        if (hovered >= 0) paintGroup(view, [hovered], null, "rgba(20,60,80,.8)", 1.5);
        paintGroup(view, chosen.atoms, "rgba(11,79,108,.34)", "#0b4f6c", 3);
        paintGroup(view, shown, "rgba(179,38,30,.30)", "#b3261e", 2.5, [4, 4]);
      }
    };
    function current() {
      if (chosen.atoms.length) return Array.from(new Set(chosen.atoms.map(function (a) { return state.grid[a]; })));
      if (chosen.entry) return chosen.entry.after.map(function (c) { return c.grid; }).filter(function (g) { return state.isThere(g); });
      return chosen.grid >= 0 ? [chosen.grid] : [];
    }
    function begin() {
      const row = app.state.selected && app.state.selected.kind === "grids" ? app.state.selected.row : -1;
      app.select(null);
      app.editing = editing;
      root.classList.add("gm-editing");
      panel.root.hidden = false;
      start.setAttribute("aria-pressed", "true");
      app.state.visible.edit = true;
      app.changed();
      if (row >= 0) pick(row); else choose([]);
      panel.focus();
    }
    function stop() {
      app.editing = null;
      root.classList.remove("gm-editing");
      panel.root.hidden = true;
      start.setAttribute("aria-pressed", "false");
      app.state.visible.edit = false;
      hovered = -1;
      app.changed();
      render();
      start.focus();
    }
    const cross = element("div", { class: "gm-edit-cross", "aria-hidden": "true" });
    map.getContainer().appendChild(cross);

    /* Button and panel in the language of the page. */
    function dress() {
      [start, panel && panel.root].forEach(function (old) { if (old) old.remove(); });
      start = element("button", {
        type: "button", class: "gm-edit-start", id: "gm-edit-start", "aria-pressed": String(!!app.editing),
        onclick: function () { if (app.editing) stop(); else begin(); }
      });
      app.shell.stage.appendChild(start);
      panel = gm.makeEditPanel(app, state, acts);
      panel.root.hidden = !app.editing;
      root.appendChild(panel.root);
      render();
    }

    return {
      layer: Object.assign({ key: "edit", group: "edit", order: 21, overOrder: 51, off: true, state: state, land: land, refresh: refresh }, layer),
      dress: dress,
      marks: function (view) { if (app.editing) editing.paintChoice(view); }
    };
  }

  /* One editor a page, made when its layers are first asked for. */
  let editor = null;
  gm.parts.push({
    layers: function (app) {
      if (!app.data.edit) return [];
      editor = editor || makeEditor(app);
      return [editor.layer];
    },
    dress: function () { if (editor) editor.dress(); },
    marks: function (app, view) { if (editor) editor.marks(view); }
  });
})(window.gridmap = window.gridmap || {});
