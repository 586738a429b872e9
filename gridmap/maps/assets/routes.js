/* Routes: from the chosen building to its nearest facility, by following pointers; nothing is searched here. */
(function (gm) {
  "use strict";

  const STEPS = 4096, COLOUR = "#0b4f6c";

  /* Reads what routes.py packed, when it is first asked for. */
  function reader(app) {
    const packed = app.data.routes, f = app.data.frame, trees = {};
    const X = function (x) { return gm.worldX(f[0] + x * f[2]); }, Y = function (y) { return gm.worldY(f[1] + y * f[3]); };
    const nodes = gm.places(packed.xy), sums = function (counts) { return gm.starts(counts); };
    const branch = sums(gm.varints(packed.degree)), next = gm.signed(packed.next);
    const start = sums(gm.varints(packed.starts)), u = gm.changes(packed.u), along = gm.varints(packed.along);
    const v = gm.signed(packed.v).map(function (d, i) { return u[i] + d; });

    /* Which of those of one kind each row is. */
    function numbered(values, wanted) {
      const out = new Int32Array(values.length);
      let count = 0;
      for (let i = 0; i < values.length; i++) if (values[i] === wanted) out[i] = count++;
      return out;
    }
    function tree(category) {
      const t = packed.trees[category];
      if (!t) return null;
      if (!trees[category]) {
        const follow = gm.varints(t.follow), side = gm.varints(t.side);
        trees[category] = {
          follow: follow, end: numbered(follow, 1), ends: gm.places(t.ends), start: gm.varints(t.start),
          side: side, direct: numbered(side, 2), goal: gm.varints(t.goal)
        };
      }
      return trees[category];
    }
    function onEdge(p, share) {
      const t = share / STEPS;
      return [X(nodes.x[u[p]] + t * (nodes.x[v[p]] - nodes.x[u[p]])), Y(nodes.y[u[p]] + t * (nodes.y[v[p]] - nodes.y[u[p]]))];
    }
    function at(places, i) { return [X(places.x[i]), Y(places.y[i])]; }

    const gate = gm.varints(packed.gate), gates = gm.places(packed.gates);

    /* Places on the way in world pixels, the gate before it if there is one, or null where there is no way. */
    return function (building, category) {
      const t = tree(category);
      if (!t || !t.start[building]) return null;
      const p = start[building] + t.start[building] - 1, way = [onEdge(p, along[p])];
      if (gate[p]) way.gate = at(gates, gate[p] - 1);
      if (t.side[building] === 2) {
        way.push(onEdge(p, t.goal[t.direct[building]]));
        return way;
      }
      let node = t.side[building] ? v[p] : u[p], left = nodes.x.length;
      for (; t.follow[node] > 1 && left > 0; left--) {
        way.push(at(nodes, node));
        node += next[branch[node] + t.follow[node] - 2];
      }
      way.push(at(nodes, node));
      if (t.follow[node] === 1) way.push(at(t.ends, t.end[node]));
      return way;
    };
  }

  function middle(shapes, row) {
    const b = 4 * row;
    return [(shapes.box[b] + shapes.box[b + 2]) / 2, (shapes.box[b + 1] + shapes.box[b + 3]) / 2];
  }

  function stroke(view, places, style) {
    const context = view.context;
    context.beginPath();
    places.forEach(function (p, i) {
      const x = p[0] * view.scale - view.ox, y = p[1] * view.scale - view.oy;
      if (i) context.lineTo(x, y); else context.moveTo(x, y);
    });
    context.lineWidth = style.width;
    context.strokeStyle = style.colour;
    context.setLineDash(style.dash || []);
    context.stroke();
    context.setLineDash([]);
  }

  gm.parts.push({
    layers: function (app) {
      if (!app.data.routes) return [];
      const say = app.say, read = app.readRoute = app.readRoute || lazy(app);
      app.route = function (row, category) {
        const facility = app.nearest(category, row), way = facility >= 0 ? read(row, category) : null;
        return way && { way: way, from: middle(app.shapes.buildings, row), to: middle(app.shapes.facilities, facility) };
      };
      app.showRoute = function (row, category) {
        const found = app.route(row, category), all = L.latLngBounds([]);
        found.way.concat([found.from, found.to]).forEach(function (p) { all.extend(L.CRS.EPSG3857.pointToLatLng(L.point(p[0], p[1]), 0)); });
        if (!app.map.getBounds().contains(all)) app.map.fitBounds(all, { padding: [50, 50], maxZoom: 17.5 });
      };
      return [{
        key: "routes", group: "services", order: 70, minZoom: 0, label: say("layer.routes"),
        idle: function () { return !app.state.selected || app.state.selected.kind !== "buildings"; }, legend: function () {
          return [
            { swatch: { shape: "line", stroke: COLOUR, width: 3.5 }, label: say("class.route") },
            { swatch: { shape: "line", stroke: COLOUR, width: 1.8, dash: "2 3" }, label: say("class.leg") }
          ];
        }
      }];
    },
    marks: function (app, view) {
      const chosen = app.state.selected;
      if (!chosen || chosen.side || chosen.kind !== "buildings" || !app.route || !app.isDrawn("routes")) return;
      const found = app.route(chosen.row, app.state.category);
      if (!found) return;
      const ends = found.way, legs = [[found.from].concat(ends.gate ? [ends.gate] : [], [ends[0]]), [ends[ends.length - 1], found.to]];
      stroke(view, ends, { width: 8, colour: "rgba(255,255,255,.95)" });
      legs.forEach(function (leg) { stroke(view, leg, { width: 5, colour: "rgba(255,255,255,.9)" }); });
      stroke(view, ends, { width: 4, colour: COLOUR });
      legs.forEach(function (leg) { stroke(view, leg, { width: 2, colour: COLOUR, dash: [3, 4] }); });
    }
  });

  function lazy(app) {
    let read = null;
    return function (building, category) { read = read || reader(app); return read(building, category); };
  }
})(window.gridmap = window.gridmap || {});
