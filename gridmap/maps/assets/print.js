/* Print: the A3 sheet with its title block, at a round scale. The class is set while the browser prints. */
(function (gm) {
  "use strict";

  const ROUND = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5, 8];
  const METRES_PER_PIXEL = 0.0254 / 96;         // of paper: what a pixel of a style sheet is
  const SMALLEST = 0.68;                        // of the size of words: 6 points on paper
  let block = null, scale = null;

  /* What one metre of paper is in metres of ground, in the middle of the map. */
  function denominator(map) {
    const size = map.getSize(), y = size.y / 2;
    const ground = map.distance(map.containerPointToLatLng([0, y]), map.containerPointToLatLng([size.x, y]));
    return ground / size.x / METRES_PER_PIXEL;
  }
  /* The next round number that is not less. */
  function rounded(value) {
    const ten = Math.pow(10, Math.floor(Math.log10(value)));
    const found = ROUND.concat([10]).find(function (r) { return r * ten >= value * 0.999; });
    return Math.round(found * ten);
  }
  function setScale(app, bounds) {
    const map = app.map, snap = map.options.zoomSnap;
    map.options.zoomSnap = 0;
    map.fitBounds(bounds, { animate: false });
    const exact = denominator(map), round = rounded(exact);
    map.setView(map.getCenter(), map.getZoom() + Math.log2(exact / round), { animate: false });
    map.options.zoomSnap = snap;
    scale.textContent = app.say("print.scale", { n: app.say.number(round) });
    scale.setAttribute("data-scale", round);
  }

  /* What the reader looks at, but no empty paper around all there is. */
  function area(app, seen) {
    const b = app.data.bounds, all = L.latLngBounds([b[1], b[0]], [b[3], b[2]]).pad(0.02);
    return seen.contains(all) ? all : seen;
  }

  /* Makes a panel fit its column: smaller, and where that does not do, without its last sections, which it says. */
  function fit(app, panel) {
    const children = Array.from(panel.children), undo = [];
    const over = function () { return panel.scrollHeight > panel.clientHeight + 1; };
    for (let zoom = 1; over() && zoom > SMALLEST;) {
      zoom = Math.max(SMALLEST, zoom * 0.95);
      children.forEach(function (child) { child.style.zoom = zoom; });
    }
    undo.push(function () { children.forEach(function (child) { child.style.zoom = ""; }); });
    if (over()) {
      const more = gm.element("p", { class: "gm-note" }, app.say("print.more"));
      panel.appendChild(more);
      const steps = [Array.from(panel.querySelectorAll(".gm-bar-nearest"))].concat(children.slice(2).reverse().map(function (c) { return [c]; }));
      const set = function (on) { return function (node) { node.classList.toggle("gm-unprinted", on); }; };
      for (let i = 0; over() && i < steps.length; i++) steps[i].forEach(set(true));
      undo.push(function () { more.remove(); steps.forEach(function (step) { step.forEach(set(false)); }); });
    }
    return function () { undo.forEach(function (step) { step(); }); };
  }

  gm.parts.push({
    dress: function (app, shell) {
      const say = app.say, data = app.data, element = gm.element;
      const print = shell.button("button.print", "M4 6V2h8v4M4 12H2V6h12v6h-2M4 10h8v4H4z", function () { window.print(); });
      print.classList.add("gm-print");
      shell.tools.appendChild(print);
      if (block) block.remove();
      scale = element("span", { class: "gm-block-scale" });
      block = element("footer", { class: "gm-block" },
        element("span", { class: "gm-block-north" }, gm.icon("M8 1 12 14 8 11 4 14z"), say("north")),
        scale,
        element("span", {}, say("date", { date: data.date })),
        data.source ? element("span", { class: "gm-block-source" }, say("note.source", { source: data.source })) : null,
        data.datum === "WGS 84" ? null : element("span", {}, data.datum),
        data.approval ? element("span", {}, say("approval", { number: data.approval })) : null,
        data.internal ? element("strong", { class: "gm-internal" }, say("internal")) : null);
      document.getElementById("gm-app").appendChild(block);
    },

    start: function (app) {
      const map = app.map;
      let before = null;
      window.addEventListener("beforeprint", function () {
        before = before || { bounds: map.getBounds(), center: map.getCenter(), zoom: map.getZoom() };
        document.documentElement.classList.add("gm-printing");
        map.invalidateSize({ animate: false, pan: false });
        before.undo = before.undo || [fit(app, app.shell.legend), fit(app, app.shell.details)];
        setScale(app, area(app, before.bounds));
        app.renew();
      });
      window.addEventListener("afterprint", function () {
        document.documentElement.classList.remove("gm-printing");
        map.invalidateSize({ animate: false, pan: false });
        if (before) {
          map.setView(before.center, before.zoom, { animate: false });
          before.undo.forEach(function (undo) { undo(); });
        }
        before = null;
      });
    }
  });
})(window.gridmap = window.gridmap || {});
