/* Layers: what each one draws, at which zoom, in which order, what its legend says, and what a click on it hits. */
(function (gm) {
  "use strict";

  const INK = "#24323b", GRID = "#3c4c55", WARN = "#c2185b", WATER = "#bcd6e6", WATER_LINE = "#8fb8d1";
  const CLOSE = 15.5, CLOSER = 16.75;
  const STREETS = {                       // rank: [colour, widths at zoom 12, 15, 18, first zoom]
    0: ["#ffffff", 1.3, 4, 13, 0], 1: ["#ffffff", 0.9, 3, 10, 11], 2: ["#ffffff", 0.4, 1.8, 7, 13],
    3: ["#ffffff", 0.2, 0.8, 2.5, 15], 4: ["#8b8b86", 0.6, 1.1, 2, 12]
  };

  function widthAt(widths, zoom) {
    const t = zoom <= 15 ? Math.max(0, (zoom - 12) / 3) : Math.min(1, (zoom - 15) / 3);
    return zoom <= 15 ? widths[1] + (widths[2] - widths[1]) * t : widths[2] + (widths[3] - widths[2]) * t;
  }

  function font(weight, size) { return weight + " " + size + "px " + gm.FONT; }

  /* All layers that the data has, from the ground up. */
  gm.makeLayers = function (app) {
    const data = app.data, say = app.say, state = app.state, shapes = app.shapes;
    const has = function (kind) { return data.layers[kind] && data.layers[kind].n > 0; };
    const layers = [];

    function add(layer) { layers.push(Object.assign({ minZoom: 0, note: null, legend: function () { return []; } }, layer)); }

    function* strokeAll(view, kind, style, choose) {
      const context = view.context;
      context.strokeStyle = style.stroke;
      context.lineWidth = style.width;
      context.setLineDash(style.dash || []);
      yield* gm.traceSteps(shapes[kind], view, choose, function () { context.stroke(); });
      context.setLineDash([]);
    }
    function* fillAll(view, kind, fill, choose) {
      view.context.fillStyle = fill;
      yield* gm.traceSteps(shapes[kind], view, choose, function () { view.context.fill("evenodd"); });
    }

    // -- ground ------------------------------------------------------------------------------------------------------
    if (has("blocks")) add({
      key: "blocks", group: "ground", order: 10, label: say("layer.blocks"),
      draw: function* (view) { yield* fillAll(view, "blocks", "#ebe7de"); },
      legend: function () { return [{ swatch: { fill: "#ebe7de", stroke: "#d9d4c8" }, label: say("class.block") }]; }
    });

    if (has("barriers")) {
      const code = data.layers.barriers.code, b = shapes.barriers;
      const is = function (wanted, kind) { return function (f) { return code[f] === wanted && (b.kindOf(f) === 2) === (kind === 2); }; };
      const some = function (wanted) { return code.indexOf(wanted) >= 0; };
      add({
        key: "barriers", group: "ground", order: 31, label: say("layer.barriers"),
        draw: function* (view) {
          const z = view.zoom;
          yield* fillAll(view, "barriers", WATER, is("0", 2));
          yield* strokeAll(view, "barriers", { stroke: WATER, width: widthAt([0, 2.5, 5, 14], z) }, is("0", 1));
          yield* fillAll(view, "barriers", "#dedad0", is("1", 2));
          yield* fillAll(view, "barriers", "#dfd8cc", is("2", 2));
        },
        over: function* (view) {            // railways and walls lie over the colours of the grids
          const z = view.zoom;
          yield* strokeAll(view, "barriers", { stroke: "#77736a", width: widthAt([0, 1.4, 2.6, 5], z) }, is("1", 1));
          yield* strokeAll(view, "barriers", { stroke: "#f4f2ec", width: widthAt([0, 0.7, 1.4, 3], z), dash: [6, 6] }, is("1", 1));
          if (z >= 14) yield* strokeAll(view, "barriers", { stroke: "#8a7767", width: 1.2, dash: [2, 2] }, is("2", 1));
        },
        overOrder: 38,
        legend: function () {
          return [
            some("0") && { swatch: { fill: WATER, stroke: WATER_LINE }, label: say("class.water") },
            some("1") && { swatch: { shape: "line", stroke: "#77736a", width: 3, dash: "5 3" }, label: say("class.rail") },
            some("2") && { swatch: { shape: "line", stroke: "#8a7767", width: 1.5, dash: "2 2" }, label: say("class.wall") }
          ].filter(Boolean);
        }
      });
    }

    if (has("streets")) {
      const rank = data.layers.streets.rank;
      const of = function (r) { return function (f) { return rank[f] === String(r); }; };
      const paths = rank.indexOf("3") >= 0, rails = rank.indexOf("4") >= 0;
      add({
        key: "streets", group: "ground", order: 36, label: say("layer.streets"),
        draw: function* (view) {
          const z = view.zoom;
          for (const r of [3, 2, 1, 0]) {
            if (z < STREETS[r][4] || z < 14) continue;
            yield* strokeAll(view, "streets", { stroke: "#c9c4b8", width: widthAt(STREETS[r], z) + 1.2 }, of(r));
          }
          for (const r of [3, 2, 1, 0]) {
            if (z < STREETS[r][4]) continue;
            yield* strokeAll(view, "streets", { stroke: z < 14 ? (r === 0 ? "#a9a397" : "#c4beb1") : STREETS[r][0], width: Math.max(0.5, widthAt(STREETS[r], z)) }, of(r));
          }
          if (rails && z >= 12) {
            yield* strokeAll(view, "streets", { stroke: "#77736a", width: widthAt([0, 1.2, 2.2, 4], z) }, of(4));
            yield* strokeAll(view, "streets", { stroke: "#f4f2ec", width: widthAt([0, 0.5, 1.1, 2.4], z), dash: [5, 5] }, of(4));
          }
        },
        legend: function () {
          return [
            { swatch: { shape: "line", stroke: "#fff", casing: "#c9c4b8", width: 4 }, label: say("class.street") },
            paths && { swatch: { shape: "line", stroke: "#fff", casing: "#c9c4b8", width: 1.5 }, label: say("class.path"), from: 15 },
            rails && { swatch: { shape: "line", stroke: "#77736a", width: 3, dash: "5 3" }, label: say("class.rail") }
          ].filter(Boolean);
        }
      });
    }

    if (has("buildings")) {
      const b = shapes.buildings;
      add({
        key: "buildings", group: "ground", order: 40, minZoom: CLOSE, label: say("layer.buildings"),
        count: data.layers.buildings.n,
        draw: function* (view) {
          if (view.zoom < CLOSE) return;
          const context = view.context, outline = view.zoom >= CLOSER;
          context.strokeStyle = "rgba(98,86,68,.75)";
          context.lineWidth = 0.7;
          context.fillStyle = "rgba(150,138,118,.5)";
          yield* gm.traceSteps(b, view, function (f) { return b.kindOf(f) === 2; }, function () {
            context.fill("evenodd");
            if (outline) context.stroke();
          });
          gm.dots(b, view, function (f) { return b.kindOf(f) === 0; }, function (f, x, y) { context.fillRect(x - 2.5, y - 2.5, 5, 5); });
        },
        legend: function () { return [{ swatch: { fill: "#bfb6a6", stroke: "#8a7f6c" }, label: say("class.building") }]; },
        pick: function (at) { return at.zoom < CLOSE ? -1 : at.inside("buildings", 4); }
      });
    }

    // -- grids -------------------------------------------------------------------------------------------------------
    if (has("grids")) {
      const grids = data.layers.grids, g = shapes.grids, status = gm.coded(grids.status);
      const patterns = {};
      const theme = function () { return app.state.theme >= 0 && !app.isDrawn("circles") ? data.themes[app.state.theme] : null; };
      add({
        key: "grids", group: "grids", order: 20, label: say("layer.grids"), count: grids.n,
        draw: function* (view) {
          const of = theme(), context = view.context;
          if (!of) return;
          for (let c = 0; c < of.classes.length; c++) {
            const cls = of.classes[c], name = cls.fill + cls.pattern;
            const fill = cls.pattern ? patterns[name] || (patterns[name] = gm.pattern(context, cls.pattern, cls.fill)) : cls.fill;
            context.globalAlpha = app.online ? 0.7 : 0.92;
            yield* fillAll(view, "grids", fill, function (f) { return of.of[f] === c; });
            context.globalAlpha = 1;
          }
        },
        over: function* (view) {
          const z = view.zoom;
          if (z >= 13) yield* strokeAll(view, "grids", { stroke: "rgba(255,255,255,.55)", width: 3 });
          yield* strokeAll(view, "grids", { stroke: GRID, width: z < 13 ? 0.6 : z < 15 ? 1 : 1.5 });
        },
        overOrder: 50,
        words: function* (view, labels) {
          if (!grids.spot || view.zoom < 12.5) return;
          for (let pass = 0; pass < 2; pass++) {       // those out of the band first
            for (let f = 0; f < g.n; f++) {
              if (f % 500 === 499) yield;
              const out = status(f) === "above" || status(f) === "below";
              if (out !== (pass === 0) || !gm.inView(g, f, view)) continue;
              const wide = (g.box[4 * f + 2] - g.box[4 * f]) * view.scale;
              const high = (g.box[4 * f + 3] - g.box[4 * f + 1]) * view.scale;
              const households = grids.households ? grids.households[f] : null;
              const mark = status(f) === "above" ? "▲ " : status(f) === "below" ? "▼ " : "";
              const size = view.zoom >= 15.5 ? 13 : 11.5;
              const lines = [];
              if (households !== null && households !== undefined) {
                lines.push({ text: mark + say.number(households), font: font(out ? 700 : 600, size), size: size, colour: out ? "#1d2a32" : "#2d3b44" });
              }
              const title = grids.name[f] || grids.label[f];
              if (high > 46 && wide > 64 && title) {
                lines.unshift({ text: gm.short(title, 14), font: font(500, 11), size: 11, colour: "#55636b" });
              }
              if (!lines.length || high < size * lines.length * 1.2) continue;
              const at = app.spots("grids", f, view);
              if (!labels.text(lines, at[0], at[1], wide * 0.95) && lines.length === 2) labels.text(lines.slice(1), at[0], at[1], wide * 0.95);
            }
          }
        },
        legend: function () {
          const of = theme();
          if (!of) {
            return [{ swatch: { fill: "none", stroke: GRID, width: 1.5 }, label: app.isDrawn("circles") ? say("theme.circles") : say("class.grid") }];
          }
          return of.classes.map(function (cls) {
            return { swatch: { fill: cls.fill, pattern: cls.pattern, stroke: "#8b979d" }, mark: cls.mark, label: cls.label, count: cls.count };
          });
        },
        pick: function (at) { return at.inside("grids", 0); }
      });
    }

    if (has("atoms")) add({
      key: "atoms", group: "grids", order: 34, minZoom: 14, label: say("layer.atoms"), off: true,
      draw: function* (view) { if (view.zoom >= 14) yield* strokeAll(view, "atoms", { stroke: "rgba(92,104,112,.55)", width: 0.6 }); },
      legend: function () { return [{ swatch: { fill: "none", stroke: "#5c6870", width: 0.8 }, label: say("class.atom") }]; }
    });

    if (has("compounds")) {
      const c = shapes.compounds;
      add({
        key: "compounds", group: "grids", order: 54, minZoom: 14.5, label: say("layer.compounds"), count: data.layers.compounds.n,
        draw: function* (view) {
          if (view.zoom < 14.5) return;
          yield* strokeAll(view, "compounds", { stroke: "#8c5a2b", width: view.zoom < 16 ? 0.9 : 1.8, dash: [7, 3, 1.5, 3] });
        },
        words: function (view, labels) {
          if (view.zoom < 16) return;
          gm.dots(c, view, function (f) { return data.layers.compounds.name[f]; }, function (f, x, y) {
            const wide = (c.box[4 * f + 2] - c.box[4 * f]) * view.scale;   // a name over the walls would hide whose it is
            labels.text([{ text: gm.short(data.layers.compounds.name[f], 16), font: font(500, 11.5), size: 11.5, colour: "#7a4a1f" }], x, y, wide * 1.1);
          });
        },
        legend: function () { return [{ swatch: { fill: "none", stroke: "#8c5a2b", width: 1.6, dash: "5 2 1 2" }, label: say("class.compound") }]; },
        pick: function (at) { return at.zoom < 14.5 ? -1 : at.near("compounds", 5); }
      });
    }

    if (has("entrances")) add({
      key: "entrances", group: "grids", order: 56, minZoom: 15.75, label: say("layer.gates"),
      draw: function (view) {
        if (view.zoom < 15.75) return;
        const context = view.context, half = view.zoom < 17 ? 3 : 4;
        context.lineWidth = 1.4;
        context.strokeStyle = "#8c5a2b";
        context.fillStyle = "#fff";
        gm.dots(shapes.entrances, view, null, function (f, x, y) {
          context.beginPath();
          context.rect(x - half, y - half, 2 * half, 2 * half);
          context.fill();
          context.stroke();
        });
      },
      legend: function () { return [{ swatch: { shape: "square", fill: "#fff", stroke: "#8c5a2b", width: 1.6 }, label: say("class.gate") }]; }
    });

    if (has("communities")) {
      const c = shapes.communities, communities = data.layers.communities;
      add({
        key: "communities", group: "grids", order: 58, label: say("layer.communities"), count: communities.n,
        draw: function* (view) {
          const z = view.zoom;
          yield* strokeAll(view, "communities", { stroke: "rgba(255,255,255,.8)", width: z < 13 ? 3 : 5 });
          yield* strokeAll(view, "communities", { stroke: "#17242c", width: z < 13 ? 1.5 : 2.4 });
        },
        words: function (view, labels) {
          if (view.zoom > 15.5 || !communities.spot) return;
          for (let f = 0; f < c.n; f++) {
            if (!gm.inView(c, f, view)) continue;
            const wide = (c.box[4 * f + 2] - c.box[4 * f]) * view.scale;
            const at = app.spots("communities", f, view), size = view.zoom < 13 ? 12 : 13.5;
            labels.text([{ text: gm.short(communities.name[f] || communities.id[f], 18), font: font(700, size), size: size, colour: "#17242c", halo: 4 }], at[0], at[1], wide * 1.05);
          }
        },
        legend: function () { return [{ swatch: { fill: "none", stroke: "#17242c", width: 2.2 }, label: say("class.community") }]; },
        pick: function (at) { return at.inside("communities", 0); }
      });
    }

    // -- services ----------------------------------------------------------------------------------------------------
    if (has("circles")) {
      const circles = data.layers.circles, limits = Array.from(new Set(circles.limit)).filter(function (v) { return v !== null; });
      limits.sort(function (a, b) { return a - b; });
      const colour = function (limit) { return data.circleColours[Math.max(0, limits.indexOf(limit))]; };
      const mine = function (f) { return circles.category[f] === state.category; };
      add({
        key: "circles", group: "services", order: 30, label: say("layer.circles"), off: has("grids"), byCategory: true,
        draw: function (view) {
          const context = view.context;
          for (let f = 0; f < shapes.circles.n; f++) {
            if (!mine(f) || !gm.inView(shapes.circles, f, view)) continue;
            context.beginPath();
            gm.trace(shapes.circles, f, view);
            context.globalAlpha = 0.82;
            context.fillStyle = colour(circles.limit[f]);
            context.fill("evenodd");
            context.globalAlpha = 1;
            context.strokeStyle = "rgba(70,52,120,.55)";
            context.lineWidth = 0.8;
            context.stroke();
          }
        },
        legend: function () {
          const key = circles.measure === "minutes" ? "class.minutes" : "class.metres";
          const there = new Set();
          circles.category.forEach(function (c, f) { if (c === state.category) there.add(circles.limit[f]); });
          const rows = limits.filter(function (l) { return there.has(l); }).map(function (limit) {
            return { swatch: { fill: colour(limit), opacity: 0.82, stroke: "#8677b0" }, label: say(key, { n: say.number(limit) }) };
          });
          const off = circles.deviation.filter(function (d, f) { return mine(f) && d !== null; });
          if (rows.length && off.length) rows.push({ text: say("class.deviation", { n: say.share(Math.max.apply(null, off)) }) });
          return rows;
        }
      });
    }

    if (has("gaps")) {
      const gaps = data.layers.gaps;
      add({
        key: "gaps", group: "services", order: 44, label: say("layer.gaps"), off: true, byCategory: true,
        draw: function* (view) {
          const mine = function (f) { return gaps.category[f] === state.category; };
          yield* fillAll(view, "gaps", "rgba(194,24,91,.16)", mine);
          yield* strokeAll(view, "gaps", { stroke: WARN, width: 1.2, dash: [4, 3] }, mine);
        },
        legend: function () { return [{ swatch: { fill: WARN, opacity: 0.16, stroke: WARN, dash: "3 2" }, label: say("class.gap") }]; }
      });
    }

    if (has("buildings") && data.layers.buildings.reach && data.coverage) {
      const b = shapes.buildings, households = data.layers.buildings.households;
      const blind = function (f) {
        const code = app.reach(state.category)[f];
        return code >= 0x8000 && households.length && households[f] > 0;
      };
      add({
        key: "blind", group: "services", order: 46, label: say("layer.blind"), off: true, byCategory: true,
        draw: function* (view) {
          if (!app.reach(state.category)) return;
          const context = view.context;
          context.fillStyle = WARN;
          if (view.zoom >= CLOSE) {
            yield* fillAll(view, "buildings", "rgba(194,24,91,.8)", function (f) { return b.kindOf(f) === 2 && blind(f); });
            context.fillStyle = WARN;
            gm.dots(b, view, function (f) { return b.kindOf(f) === 0 && blind(f); }, function (f, x, y) { context.fillRect(x - 3, y - 3, 6, 6); });
          } else {
            const size = view.zoom < 12.5 ? 1.6 : view.zoom < 14 ? 2.4 : 3.6;
            gm.dots(b, view, blind, function (f, x, y) { context.fillRect(x - size / 2, y - size / 2, size, size); });
          }
        },
        legend: function () { return [{ swatch: { shape: "square", fill: WARN, stroke: "#fff" }, label: say("class.blind") }]; }
      });
    }

    if (has("facilities")) {
      const facilities = data.layers.facilities, f0 = shapes.facilities;
      const stage = facilities.stage || "", crowd = facilities.n > 300;
      // a service in focus stands alone: its circles or blind spots say nothing of the others
      const shown = function (f) {
        const c = facilities.category[f];
        return !state.hidden[c] && (!app.focused() || c === state.category);
      };
      // thousands of dots say nothing from afar, but for the service in focus
      const near = function (zoom) { return !crowd || zoom >= 14 || app.focused(); };
      // what is chosen is what the map is about
      const chosen = function (f) { return stage[f] === "3"; };
      const drawn = function (zoom) {
        const all = near(zoom);
        return function (f) { return shown(f) && (all || chosen(f)); };
      };
      add({
        key: "facilities", group: "services", order: 64, label: say("layer.facilities"), count: facilities.n,
        minZoom: crowd ? 14 : 0,
        draw: function (view) {
          const context = view.context;
          context.lineWidth = 0.8;
          context.strokeStyle = "#fff";
          gm.dots(f0, view, drawn(view.zoom), function (f, x, y) {
            const category = data.categories[facilities.category[f]];
            if (!category) return;
            context.beginPath();
            context.arc(x, y, view.zoom < 12.5 ? 1.8 : 3, 0, 2 * Math.PI);
            context.fillStyle = category.colour;
            context.fill();
            context.stroke();
          });
        },
        words: function (view, labels) {
          const context = view.context, size = view.zoom < 14 ? 15 : view.zoom < 16 ? 17 : 20, placed = [];
          const badges = function (wanted, size) {
            gm.dots(f0, view, function (f) { return shown(f) && chosen(f) === wanted; }, function (f, x, y) {
              const category = data.categories[facilities.category[f]];
              const free = labels.take([x - size / 2, y - size / 2, x + size / 2, y + size / 2]);
              if (!category || !(free || wanted)) return;
              gm.drawBadge(context, category, x, y, size, +stage[f] || 0);
              placed.push([f, x, y, category]);
            });
          };
          badges(true, size * 1.3);         // what is chosen is never hidden by what stands beside it
          if (near(view.zoom) && (view.zoom >= 12.5 || !crowd || app.focused())) badges(false, size);
          if (view.zoom < CLOSER) return;
          placed.forEach(function (one) {
            const name = facilities.name[one[0]];
            if (name) labels.text([{ text: gm.short(name, 14), font: font(500, 11), size: 11, colour: one[3].colour }], one[1], one[2] + size / 2 + 8, 0);
          });
        },
        categories: true,
        legend: function () {
          return [["1", "planned", { fill: "#fff", stroke: "#5d5a52", width: 1.5 }], ["2", "candidate", { fill: "#fff", stroke: "#5d5a52", width: 1.5, dash: "2 1.5" }],
            ["3", "chosen", { fill: "#5d5a52", stroke: "#111d24", width: 2.5 }]].filter(function (s) { return stage.indexOf(s[0]) >= 0; }).map(function (s) {
            return { swatch: Object.assign({ shape: "square" }, s[2]), label: say("facility_status." + s[1]) };
          });
        },
        pick: function (at) {
          const here = drawn(at.zoom);
          let best = -1, nearest = 12 / at.scale;
          for (let f = 0; f < f0.n; f++) {
            if (!here(f)) continue;
            const d = Math.hypot(f0.box[4 * f] - at.x, f0.box[4 * f + 1] - at.y);
            if (d < nearest) { nearest = d; best = f; }
          }
          return best;
        }
      });
    }

    if (has("findings") && shapes.findings.x.length) {
      const findings = data.layers.findings, severity = gm.coded(findings.severity);
      const colours = { error: "#b3261e", warning: "#9a6200", info: "#4a5964" };
      add({
        key: "findings", group: "grids", order: 60, label: say("layer.findings"), off: true,
        draw: function (view) {
          const context = view.context, b = shapes.findings;
          for (let f = 0; f < b.n; f++) {
            if (b.ringStart[f] === b.ringStart[f + 1] || !gm.inView(b, f, view)) continue;
            context.strokeStyle = colours[severity(f)] || colours.info;
            context.lineWidth = 2;
            context.setLineDash([2, 4]);
            context.beginPath();
            if (b.kindOf(f) === 0) gm.dots(b, view, function (i) { return i === f; }, function (i, x, y) { context.moveTo(x + 7, y); context.arc(x, y, 7, 0, 2 * Math.PI); });
            else gm.trace(b, f, view);
            context.stroke();
            context.setLineDash([]);
          }
        },
        legend: function () {
          return ["error", "warning", "info"].filter(function (s) { return findings.severity.of.indexOf(s) >= 0; }).map(function (s) {
            return { swatch: { fill: "none", stroke: colours[s], width: 2, dash: "2 3" }, label: say("severity." + s) };
          });
        }
      });
    }

    // -- what the user added -----------------------------------------------------------------------------------------
    data.own.forEach(function (own, i) {
      const kind = "own" + i, s = shapes[kind];
      add({
        key: kind, group: "own", order: 62 + i / 100, label: own.name, dataLabel: true, count: own.n, off: own.outline,
        draw: function* (view) {
          const context = view.context;
          if (own.outline) { yield* strokeAll(view, kind, { stroke: own.colour, width: 2.2, dash: [8, 5] }); return; }
          view.context.globalAlpha = 0.22;
          yield* fillAll(view, kind, own.colour, function (f) { return s.kindOf(f) === 2; });
          view.context.globalAlpha = 1;
          yield* strokeAll(view, kind, { stroke: own.colour, width: 1.8 }, function (f) { return s.kindOf(f) > 0; });
          context.fillStyle = own.colour;
          context.strokeStyle = "#fff";
          context.lineWidth = 1;
          gm.dots(s, view, function (f) { return s.kindOf(f) === 0; }, function (f, x, y) {
            context.beginPath();
            context.arc(x, y, 4.5, 0, 2 * Math.PI);
            context.fill();
            context.stroke();
          });
        },
        legend: function () { return []; },
        swatch: (function () {
          const kinds = new Set();
          for (let f = 0; f < Math.min(s.n, 500); f++) kinds.add(s.kindOf(f));
          if (own.outline) return { fill: "none", stroke: own.colour, width: 2, dash: "5 3" };
          if (kinds.has(2)) return { fill: own.colour, opacity: 0.3, stroke: own.colour };
          return kinds.has(1) ? { shape: "line", stroke: own.colour, width: 2 } : { shape: "dot", fill: own.colour };
        })(),
        pick: function (at) { return at.near(kind, 7, true); }
      });
    });

    return layers;
  };

  /* A point of the map in world pixels, with tests against shapes. */
  gm.place = function (app, latlng) {
    const zoom = app.map.getZoom(), scale = Math.pow(2, zoom);
    const at = { zoom: zoom, scale: scale, x: gm.worldX(latlng.lng), y: gm.worldY(latlng.lat) };
    at.inside = function (kind, pixels) {
      const s = app.shapes[kind];
      for (let f = s.n - 1; f >= 0; f--) if (gm.contains(s, f, at.x, at.y)) return f;
      return pixels ? at.near(kind, pixels) : -1;
    };
    at.near = function (kind, pixels, inside) {
      const s = app.shapes[kind];
      let best = -1, near = pixels / scale;
      for (let f = 0; f < s.n; f++) {
        const d = inside && gm.contains(s, f, at.x, at.y) ? 0 : gm.distance(s, f, at.x, at.y, near);
        if (d <= near) { near = d; best = f; }
      }
      return best;
    };
    return at;
  };
})(window.gridmap = window.gridmap || {});
