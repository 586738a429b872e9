/* Edit panel: what is selected, to whom it can go and what both grids then hold, the edits made, and their file. */
(function (gm) {
  "use strict";

  /* act: what the buttons do; see gm.makeEditor */
  gm.makeEditPanel = function (app, state, act) {
    const say = app.say, data = app.data, element = gm.element, tables = data.layers;
    const NAMES = ["building", "compound", "land"];

    // -- words -------------------------------------------------------------------------------------------------------
    function gridName(g) {
      if (g < 0) return say("none");
      const of = state.grids[g], owner = tables.communities, row = owner ? owner.id.indexOf(data.edit.communities[of.community].id) : -1;
      return (row >= 0 && owner.n > 1 ? (owner.name[row] || owner.id[row]) + " " : "") + state.title(g);
    }
    function atomName(a) {
      const kind = +state.kind[a];
      if (kind === 2) return say("edit.land");
      const compound = state.compound[a], building = state.building[a];
      if (compound >= 0 && kind === 1) return tables.compounds.name[compound] || tables.compounds.id[compound];
      if (building >= 0) return (tables.buildings.name && tables.buildings.name[building]) || tables.buildings.id[building];
      return state.atomId[a];
    }
    function named(atoms) { return atoms.length === 1 ? atomName(atoms[0]) : say("edit.pieces", { n: say.number(atoms.length) }); }
    function households(n) { return say.number(n) + " " + say(data.city.estimated ? "unit.households_estimated" : "unit.households"); }
    function inGrids(atoms) {
      const list = Array.from(new Set(atoms.map(function (a) { return state.grid[a]; })));
      return list[0] < 0 && list.length === 1 ? say("edit.in_none") : say("edit.in", { grid: say.join(list.map(gridName)) });
    }
    function reason(check) {
      const values = Object.assign({}, check.values);
      if (values.grid !== undefined) values.grid = gridName(values.grid);
      ["n", "households"].forEach(function (k) { if (values[k] !== undefined) values[k] = say.number(values[k]); });
      return say(check.key, values);
    }
    function mark(status) { return status === "above" ? "▲ " : status === "below" ? "▼ " : ""; }
    /* what a grid lacks, or holds too much */
    function distance(count) {
      const of = state.grids[count.grid];
      if (count.status === "below") return say("edit.short", { n: say.number(of.lower - count.held), limit: say.number(of.lower) });
      if (count.status === "above") return say("edit.over", { n: say.number(count.held - of.upper), limit: say.number(of.upper) });
      return say("status." + count.status);
    }
    function what(entry) {
      const op = entry.edit.op, ids = function (list) { return say.join(list.map(function (id) { return gridName(state.gridOf(id)); })); };
      if (op === "move") return say("edit.did_move", { what: named(entry.change.atoms), grid: ids([entry.edit.to]) });
      if (op === "merge") return say("edit.did_merge", { grids: ids(entry.edit.grid_ids) });
      return say("edit.did_split", { grid: ids([entry.edit.grid_id]), grids: ids(entry.edit.codes) });
    }

    /* a rule as a sentence: what belongs in one grid, or apart */
    function ruleText(rule) {
      if (rule.kind === "compound") return say("edit.rule.compound", { names: tables.compounds.name[rule.name] || tables.compounds.id[rule.name] });
      if (rule.kind === "group") return say("edit.rule.group", { names: rule.name });
      const shown = say.join(rule.name.slice(0, 5)), more = rule.name.length - 5;
      return say("edit.rule." + rule.kind, { names: more > 0 ? say("edit.rule.more", { names: shown, n: say.number(more) }) : shown });
    }
    function ruleTexts(check) {
      return check.breaks.map(function (rule) { return say("edit.breaks", { rule: ruleText(rule) }); })
        .concat(check.mends.map(function (rule) { return say("edit.mends", { rule: ruleText(rule) }); }));
    }

    // -- parts -------------------------------------------------------------------------------------------------------
    function button(text, go, cls, more) {
      return element("button", Object.assign({ type: "button", class: "gm-edit-button " + (cls || ""), onclick: go }, more || {}), text);
    }
    function section(title) {
      const out = element("section", { class: "gm-section" }, title ? element("h3", {}, title) : null);
      for (let i = 1; i < arguments.length; i++) if (arguments[i]) out.appendChild(arguments[i]);
      return out;
    }
    function chip(count) { return element("span", { class: "gm-chip gm-status-" + count.status }, mark(count.status) + distance(count)); }
    /* one grid before and after */
    function changeRow(name, before, after) {
      return element("span", { class: "gm-change", "data-grid": after ? state.grids[after.grid].id : "" },
        element("span", { class: "gm-change-name" }, gm.data(name)),
        element("span", { class: "gm-change-count" }, before ? say("edit.change", { before: say.number(before.held), after: say.number(after.held) }) : say.number(after.held)),
        chip(after));
    }
    function changes(check, fresh) {
      const before = new Map(check.before.map(function (c) { return [c.grid, c]; }));
      return check.after.map(function (c, k) { return changeRow(fresh && k === fresh ? say("edit.new_grid") : gridName(c.grid), fresh && k === fresh ? null : before.get(c.grid), c); });
    }
    function addRules(out, check) {
      ruleTexts(check).forEach(function (text, k) { out.appendChild(element("span", { class: k < check.breaks.length ? "gm-breaks" : "gm-mends" }, gm.data(text))); });
    }
    function option(title, check, go, attributes, fresh) {
      const out = element("button", Object.assign({ type: "button", class: "gm-give", onclick: go }, attributes), element("span", { class: "gm-give-title" }, title));
      changes(check, fresh).forEach(function (row) { out.appendChild(row); });
      addRules(out, check);
      return out;
    }
    function refusal(title, check, attributes) {
      const fix = check.atoms.length && check.key !== "edit.no.community" && check.key !== "edit.no.apart";
      const out = element("div", Object.assign({ class: "gm-refused" }, attributes), title ? element("span", { class: "gm-give-title" }, title) : null,
        element("p", {}, reason(check)), fix ? button(say("edit.take_them"), function () { act.add(check.atoms); }, "gm-small") : null);
      if (fix) {
        out.addEventListener("mouseenter", function () { act.show(check.atoms); });
        out.addEventListener("mouseleave", function () { act.show(marked); });
      }
      return out;
    }

    function gauge(count) {
      const of = state.grids[count.grid], end = of.upper === null ? of.lower * 2 : of.upper, top = Math.max(end * 1.4, count.held * 1.08, 1);
      const percent = function (v) { return (100 * v / top).toFixed(2) + "%"; }, right = of.upper === null ? top : of.upper;
      return element("div", { class: "gm-gauge", "aria-hidden": "true" },
        element("div", { class: "gm-gauge-band", style: { left: percent(of.lower), width: percent(right - of.lower) } }),
        element("div", { class: "gm-gauge-fill", style: { width: percent(count.held) } }),
        element("span", { class: "gm-gauge-tick", style: { left: percent(of.lower) } }, say.number(of.lower)),
        of.upper === null ? null : element("span", { class: "gm-gauge-tick", style: { left: percent(of.upper) } }, say.number(of.upper)));
    }
    function gridCard(g) {
      const count = state.count(g), judged = count.status !== "dedicated" && count.status !== "empty";
      return element("div", { class: "gm-edit-grid", "data-grid": state.grids[g].id },
        element("p", { class: "gm-edit-name" }, gm.data(say("edit.grid", { grid: gridName(g) }))),
        element("div", { class: "gm-headline" }, element("span", { class: "gm-big", "data-count": state.grids[g].id }, say.number(count.households)),
          element("span", { class: "gm-big-unit" }, say(data.city.estimated ? "unit.households_estimated" : "unit.households")), chip(count)),
        judged ? gauge(count) : null);
    }

    let marked = [];                       // what the map marks as cut off while nothing is pointed at

    // -- pages -------------------------------------------------------------------------------------------------------
    function selectedPage(atoms) {
      const own = state.grid[atoms[0]], same = atoms.every(function (a) { return state.grid[a] === own; });
      const count = atoms.reduce(function (sum, a) { return sum + state.buildings[a]; }, 0);
      const details = [households(state.sum(state.households, atoms)), count > 1 ? say("edit.buildings", { n: say.number(count) }) : "", inGrids(atoms)].filter(Boolean);
      const out = [element("div", { class: "gm-edit-selected" },
        element("p", { class: "gm-kicker" }, atoms.length === 1 ? say("edit." + NAMES[+state.kind[atoms[0]]]) : say("edit.pieces", { n: say.number(atoms.length) })),
        atoms.length === 1 && +state.kind[atoms[0]] < 2 ? element("p", { class: "gm-edit-name" }, gm.data(atomName(atoms[0]))) : null,
        element("p", { class: "gm-edit-facts", "data-fact": "selected" }, gm.data(details.join(say("clause")))),
        button(say("edit.clear"), function () { act.clear(); }, "gm-small"))];
      const rest = state.restOfCompounds(atoms);
      if (rest.length) {
        out.push(element("div", { class: "gm-refused" }, element("p", {}, say("edit.with_rest", { n: say.number(rest.length) })),
          button(say("edit.take_rest"), function () { act.add(rest); }, "gm-small")));
      }
      const near = state.neighbours(atoms).concat(same ? [] : Array.from(new Set(atoms.map(function (a) { return state.grid[a]; }))));
      const to = Array.from(new Set(near)).filter(function (g) { return g >= 0 && !(same && g === own); });
      const rank = function (one) { return one.check.ok ? one.check.after.filter(function (c) { return c.status === "above" || c.status === "below"; }).length + one.check.breaks.length : Infinity; };
      const asked = to.map(function (g, k) { return { grid: g, check: state.canMove(atoms, g), k: k }; }).sort(function (a, b) { return rank(a) - rank(b) || a.k - b.k; });
      const options = asked.map(function (one) {
        const g = one.grid, check = one.check, over = { "data-to": state.grids[g].id, onmouseenter: function () { act.point(g); }, onmouseleave: function () { act.point(-1); }, onfocus: function () { act.point(g); }, onblur: function () { act.point(-1); } };
        return check.ok ? option(say("edit.give_to", { grid: gridName(g) }), check, function () { act.move(atoms, g); }, over)
          : refusal(say("edit.not_to", { grid: gridName(g) }), check, over);
      });
      // nowhere to go: the map says at once why
      const stuck = asked.length && !asked.some(function (one) { return one.check.ok; }) ? asked.find(function (one) { return one.check.key === "edit.no.torn"; }) : null;
      marked = stuck ? stuck.check.atoms : [];
      act.show(marked);
      out.push(section.apply(null, [say("edit.give")].concat(options.length ? options : [element("p", { class: "gm-note" }, say("edit.inside"))])));
      if (same && own >= 0) out.push(alone(atoms, own), gridPage(own));
      return out;
    }

    /* the selection as a grid of its own */
    function alone(atoms, g) {
      if (state.members(g).length === atoms.length || !state.sum(state.weight, atoms)) return null;
      const chosen = new Set(atoms), rest = Array.from(state.members(g)).filter(function (a) { return !chosen.has(a); });
      const check = state.canSplit(g, [rest, atoms]);
      return section(say("edit.alone"), check.ok ? option(say("edit.alone_do"), check, function () { act.split(g, [rest, atoms]); }, { "data-alone": "true" }, 1) : refusal(null, check, {}));
    }

    let opened = "";                       // which list of a grid is open: merge, split
    function gridPage(g) {
      const why = state.grids[g].fixed, out = element("div", {}, gridCard(g));
      if (why) { out.appendChild(element("p", { class: "gm-note" }, say("edit.stays_" + why))); return out; }
      const choose = function (name) {
        return button(say("edit." + name), function () { opened = opened === name ? "" : name; act.propose(opened === "split" ? g : -1, 0); }, "", { "aria-expanded": String(opened === name), "data-action": name });
      };
      out.appendChild(element("div", { class: "gm-edit-row" }, choose("merge"), choose("split")));
      if (opened === "merge") {
        state.neighbours(Array.from(state.members(g))).forEach(function (other) {
          const check = state.canMerge([g, other]), title = say("edit.merge_with", { grid: gridName(other) });
          const over = { "data-merge": state.grids[other].id, onmouseenter: function () { act.point(other); }, onmouseleave: function () { act.point(-1); } };
          if (!check.ok) { out.appendChild(refusal(title, check, over)); return; }
          const row = element("button", Object.assign({ type: "button", class: "gm-give", onclick: function () { act.merge([g, other]); } }, over), element("span", { class: "gm-give-title" }, title),
            changeRow(say("edit.merged", { n: say.number(check.after[0].households) }), null, check.after[0]));
          addRules(row, check);
          out.appendChild(row);
        });
      }
      const proposal = act.proposal();
      if (opened === "split" && proposal && proposal.grid === g) {
        if (!proposal.parts) out.appendChild(element("p", { class: "gm-refused" }, say("edit.no.split_way")));
        else {
          const check = state.canSplit(g, proposal.parts), card = element("div", { class: "gm-give gm-proposal" });
          check.after.forEach(function (c, k) { card.appendChild(changeRow(say("edit.split_part", { n: k + 1 }), null, c)); });
          addRules(card, check);
          card.appendChild(element("div", { class: "gm-edit-row" },
            button(say("edit.split_this"), function () { act.split(g, proposal.parts); }, "gm-primary", { "data-action": "split-this" }),
            button(say("edit.split_next"), function () { act.propose(g, proposal.number + 1); }),
            button(say("edit.cancel"), function () { opened = ""; act.propose(-1, 0); })));
          out.appendChild(card);
        }
      }
      return out;
    }

    function resultPage(entry) {
      const out = element("div", { class: "gm-edit-result" }, element("p", { class: "gm-kicker" }, say("edit.did")), element("p", { class: "gm-edit-name" }, gm.data(what(entry))));
      addRules(out, entry);
      entry.after.forEach(function (c) { if (state.isThere(c.grid)) out.appendChild(gridCard(c.grid)); });
      return [out];
    }

    function startPage() {
      const list = element("ol", { class: "gm-edit-how" });
      [1, 2, 3].forEach(function (k) { list.appendChild(element("li", {}, say("edit.how." + k))); });
      const out = [list, element("p", { class: "gm-note" }, say("edit.keys")), element("p", { class: "gm-note" }, say("edit.keys_map"))], off = state.overall().off;
      if (off.length) {
        const rows = element("ul", { class: "gm-gridlist gm-edit-off" });
        off.forEach(function (g) {
          const count = state.count(g);
          rows.appendChild(element("li", {}, element("button", { type: "button", class: "gm-link gm-status-" + count.status, "data-off": state.grids[g].id, onclick: function () { act.grid(g); } },
            element("span", {}, gm.data(gridName(g)), element("span", { class: "gm-gridlist-number" }, mark(count.status) + say.number(count.held))))));
        });
        out.push(section(say("edit.off") + " · " + say.number(off.length), rows));
      }
      const broken = state.broken();
      if (broken.length) {
        const rows = element("ul", { class: "gm-stack-list" });
        broken.forEach(function (rule) {
          rows.appendChild(element("li", {}, element("button", { type: "button", class: "gm-link gm-breaks", "data-rule": rule.kind, onclick: function () { act.zoom(rule.atoms); } }, gm.data(ruleText(rule)))));
        });
        out.push(section(say("edit.broken") + " · " + say.number(broken.length), rows));
      }
      return out;
    }

    function editList() {
      const list = element("ol", { class: "gm-edit-list" });
      state.done.forEach(function (entry) {
        const item = element("li", {}, element("button", { type: "button", class: "gm-link", onclick: function () { act.zoom(entry.change.atoms); } }, gm.data(what(entry))));
        const before = new Map(entry.before.map(function (c) { return [c.grid, c]; }));
        entry.after.forEach(function (c) { item.appendChild(changeRow(gridName(c.grid), before.get(c.grid), c)); });
        addRules(item, entry);
        list.appendChild(item);
      });
      const state_ = state.done.length ? " · " + say.number(state.done.length) + say("clause") + say(state.isSaved() ? "edit.saved" : "edit.unsaved") : "";
      return section(say("edit.list") + state_, state.done.length ? list : element("p", { class: "gm-note" }, say("edit.none")));
    }

    function key() {
      const list = element("ul", { class: "gm-stack-list gm-edit-key" });
      ["legal", "above", "below", "dedicated", "empty"].forEach(function (s) {
        list.appendChild(element("li", {}, element("span", { class: "gm-stack-key gm-status-" + s }), mark(s) + say("status." + s)));
      });
      return section(say("edit.key"), list, element("p", { class: "gm-note" }, say("edit.note")));
    }

    // -- the frame ---------------------------------------------------------------------------------------------------
    const body = element("div", { class: "gm-edit-body" }), told = element("p", { class: "gm-edit-told", role: "status", "aria-live": "polite" });
    const undo = button(say("edit.undo"), function () { act.undo(); }, "", { "data-action": "undo", "aria-keyshortcuts": "Control+Z" });
    const redo = button(say("edit.redo"), function () { act.redo(); }, "", { "data-action": "redo", "aria-keyshortcuts": "Control+Y" });
    const several = button(say("edit.several"), function () { act.several(!act.isSeveral()); }, "", { "data-action": "several" });
    const save = button(say("edit.save"), function () { act.save(); }, "gm-primary", { "data-action": "save" });
    const file = element("input", { type: "file", accept: ".json,application/json", class: "gm-visually-hidden", tabindex: "-1", "aria-label": say("edit.open"), id: "gm-edit-file", onchange: function () { act.open(file.files[0]); file.value = ""; } });
    const overall = element("p", { class: "gm-note", "data-fact": "overall" });
    const title = element("h2", { tabindex: "-1" }, say("edit.title"));
    const root = element("aside", { class: "gm-edit", id: "gm-edit", "aria-label": say("edit.title") },
      element("header", { class: "gm-edit-head" }, title, button(say("edit.finish"), function () { act.finish(); }, "", { "data-action": "finish" })),
      element("div", { class: "gm-edit-row" }, undo, redo, several),
      element("div", { class: "gm-edit-row" }, save, button(say("edit.open"), function () { file.click(); }, "", { "data-action": "open" }), file),
      overall, told, body);
    root.hidden = true;

    return {
      root: root,
      /* quietly: for those who hear the page; the panel shows it anyway */
      tell: function (text, quietly) { told.textContent = text; told.classList.toggle("gm-visually-hidden", !!quietly); },
      reason: reason,
      what: what,
      rules: ruleTexts,
      focus: function () { title.focus({ preventScroll: true }); },
      close: function () { opened = ""; },
      show: function (view) {
        const all = state.overall();
        overall.textContent = say("edit.overall", { part: say.number(all.legal), all: say.number(all.judged) });
        undo.disabled = !state.done.length;
        redo.disabled = !state.undone.length;
        save.disabled = !state.done.length;
        several.setAttribute("aria-pressed", String(act.isSeveral()));
        gm.empty(body);
        const page = view.atoms.length ? selectedPage(view.atoms) : view.grid >= 0 ? [gridPage(view.grid)] : view.entry ? resultPage(view.entry) : startPage();
        page.concat([editList(), key()]).forEach(function (part) { if (part) body.appendChild(part); });
        root.scrollTop = 0;
      }
    };
  };
})(window.gridmap = window.gridmap || {});
