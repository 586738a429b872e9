/* Served: of the chosen facility its circle, and the buildings that have it as the nearest of its category. */
(function (gm) {
  "use strict";

  const WITHIN = "#0b4f6c", BEYOND = "#c2185b";

  /* Rows of the buildings that have the facility as their nearest, with people in them: [within reach, beyond]. */
  function around(app, row) {
    const buildings = app.data.layers.buildings, category = app.data.layers.facilities.category[row];
    const codes = app.reach(category), out = [[], []];
    if (!codes) return out;
    for (let b = 0; b < buildings.n; b++) {
      if (app.nearest(category, b) === row && buildings.households[b] > 0) out[codes[b] < 0x8000 ? 0 : 1].push(b);
    }
    return out;
  }

  gm.parts.push({
    marks: function (app, view) {
      const chosen = app.state.selected;
      if (!chosen || chosen.kind !== "facilities") return;
      circle(app, view, chosen.row);
      if (!app.data.coverage || !app.data.layers.buildings) return;
      if (!app.around || app.around.row !== chosen.row) app.around = { row: chosen.row, of: around(app, chosen.row) };
      const shapes = app.shapes.buildings, context = view.context, size = view.zoom < 13 ? 1.5 : view.zoom < 15 ? 2.2 : 3.2;
      [WITHIN, BEYOND].forEach(function (colour, i) {
        context.fillStyle = context.strokeStyle = colour;
        context.lineWidth = 1.4;
        app.around.of[i].forEach(function (b) {
          if (!gm.inView(shapes, b, view)) return;
          const k = 4 * b, x = (shapes.box[k] + shapes.box[k + 2]) / 2 * view.scale - view.ox;
          const y = (shapes.box[k + 1] + shapes.box[k + 3]) / 2 * view.scale - view.oy;
          context.beginPath();
          context.arc(x, y, size, 0, 2 * Math.PI);
          if (i) context.stroke(); else context.fill();
        });
      });
    },

    panel: function (app, kind, row) {
      if (kind !== "facilities") return [];
      const t = app.data.layers.facilities, say = app.say, element = gm.element, out = [];
      const line = function (swatch, text) { return element("div", { class: "gm-class" }, gm.swatch(swatch), element("span", {}, text)); };
      if (t.near && t.near[row] !== null) {
        const section = element("section", { class: "gm-section" }, element("h3", {}, say("section.served")));
        section.appendChild(element("dl", { class: "gm-facts" },
          element("dt", {}, say("fact.served")), element("dd", { "data-fact": "served" }, say.number(t.served_households[row])),
          element("dt", {}, say("fact.near")), element("dd", { "data-fact": "near" }, say.number(t.near_households[row]))));
        if (app.data.layers.buildings && app.data.layers.buildings.reach) {
          section.appendChild(line({ shape: "dot", fill: WITHIN }, say("class.served", { n: say.number(t.served[row]) })));
          section.appendChild(line({ shape: "dot", stroke: BEYOND, width: 1.6 }, say("class.near", { n: say.number(t.near[row] - t.served[row]) })));
        }
        if (own(app, row).length) section.appendChild(line({ fill: "none", stroke: "#5b4a99", width: 2 }, say("class.own_circle")));
        out.push(section);
      }
      const photo = t.photo && t.photo[row];
      if (photo) {
        const name = t.name[row] || t.id[row];
        out.push(element("section", { class: "gm-section" }, element("h3", {}, say("photo")), photo.slice(0, 5) === "data:"
          ? element("img", { class: "gm-photo", src: photo, alt: say("photo.of", { name: name }) })
          : element("a", { class: "gm-link", href: photo, target: "_blank", rel: "noopener noreferrer" }, say("photo.online"))));
      }
      return out;
    }
  });

  /* Rows of the circles that are of this facility alone. */
  function own(app, row) {
    const of = app.data.layers.circles && app.data.layers.circles.facility, out = [];
    if (of) of.forEach(function (facility, c) { if (facility === row) out.push(c); });
    return out;
  }
  function circle(app, view, row) {
    own(app, row).forEach(function (c) {
      view.context.beginPath();
      gm.trace(app.shapes.circles, c, view);
      view.context.fillStyle = "rgba(122,104,179,.14)";
      view.context.fill("evenodd");
      view.context.lineWidth = 2;
      view.context.strokeStyle = "#5b4a99";
      view.context.stroke();
    });
  }
})(window.gridmap = window.gridmap || {});
