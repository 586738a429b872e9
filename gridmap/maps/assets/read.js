/* Read: the shapes and columns of one state of the data, ready to be drawn and asked. */
(function (gm) {
  "use strict";

  /* Gives the app what is read from its data: shapes, reach, nearest, spots of labels, bounds. What is the same in the
     other app is taken from there. */
  gm.readData = function (app, other) {
    const data = app.data, decoded = {}, map = app.map;
    app.shapes = {};
    const same = function (layer, old) { return old && other.data.frame === data.frame && old.xy === layer.xy && old.rings === layer.rings; };
    for (const kind in data.layers) {
      const layer = data.layers[kind];
      app.shapes[kind] = other && same(layer, other.data.layers[kind]) ? other.shapes[kind] : gm.shapes(layer, data.frame);
    }
    data.own.forEach(function (own, i) { app.shapes["own" + i] = gm.shapes(own, data.frame); });

    app.reach = function (category) {
      const columns = data.layers.buildings && data.layers.buildings.reach;
      if (!columns || !columns[category]) return null;
      return decoded[category] || (decoded[category] = gm.reach(columns[category]));
    };
    /* Row of the facility of a category that is nearest to a building, -1 for none. */
    const near = {};
    app.nearest = function (category, row) {
      const columns = data.layers.buildings.nearest;
      if (!columns || !data.layers.facilities) return -1;
      near[category] = near[category] || gm.changes(columns[category]);
      return near[category][row] - 1;
    };
    app.spots = function (kind, row, view) {
      const spot = data.layers[kind].spot[row], f = data.frame;
      return [gm.worldX(f[0] + spot[0] * f[2]) * view.scale - view.ox, gm.worldY(f[1] + spot[1] * f[3]) * view.scale - view.oy];
    };
    app.bounds = function (kind, row) {
      const s = app.shapes[kind], b = 4 * row;
      if (!s || !isFinite(s.box[b])) return null;
      const at = function (x, y) { return L.CRS.EPSG3857.pointToLatLng(L.point(x, y), 0); };
      return L.latLngBounds(at(s.box[b], s.box[b + 1]), at(s.box[b + 2], s.box[b + 3]));
    };
    app.zoomTo = function (kind, row) {
      const bounds = app.bounds(kind, row);
      if (bounds) map.fitBounds(bounds, { maxZoom: kind === "facilities" || kind === "buildings" ? 17.5 : 17, padding: [60, 60] });
    };
  };

  /* Layers in the order in which they are drawn, labelled and hit. */
  gm.inOrder = function (layers) {
    const drawing = [], first = ["edit", "communities", "grids", "facilities"];      // who gets room for a label before the others
    layers.forEach(function (layer) {
      if (layer.draw) drawing.push([layer.order, layer, layer.draw]);
      if (layer.over) drawing.push([layer.overOrder, layer, layer.over]);
    });
    return {
      drawing: drawing.sort(function (a, b) { return a[0] - b[0]; }),
      worded: layers.filter(function (l) { return l.words; }).sort(function (a, b) {
        return (first.indexOf(a.key) + 5) % 5 - (first.indexOf(b.key) + 5) % 5;
      }),
      picked: layers.filter(function (l) { return l.pick; }).sort(function (a, b) { return RANK(a) - RANK(b); })
    };
  };

  /* The steps of painting all that is to be seen; a layer draws at once, or gives steps of its own. */
  gm.paintSteps = function* (app, view) {
    for (const one of app.order.drawing) {
      const steps = app.isDrawn(one[1].key) ? one[2](view) : null;
      if (steps && steps.next) yield* steps;
      yield;
    }
    const labels = gm.labels(view);
    for (const layer of app.order.worded) {
      const steps = app.isDrawn(layer.key) ? layer.words(view, labels) : null;
      if (steps && steps.next) yield* steps;
      yield;
    }
  };
  gm.paint = function (app, view) { gm.all(gm.paintSteps(app, view)); };

  function RANK(layer) {
    const at = ["facilities", "compounds", "buildings"].indexOf(layer.key);
    if (layer.group === "own") return 1;
    return at >= 0 ? [0, 2, 3][at] : layer.key === "grids" ? 8 : 9;
  }
})(window.gridmap = window.gridmap || {});
