/* Measure: distance and area of places that the reader clicks, on the ellipsoid of WGS 84. */
(function (gm) {
  "use strict";

  const AXIS = 6378137, ECCENTRICITY = 0.00669437999014, COLOUR = "#7a1f5c";
  let places = null, box = null, button = null;

  /* Metres east and north of the first place; exact to a millimetre a kilometre over some kilometres. */
  function plane(at) {
    const first = at[0], phi = first.lat * Math.PI / 180, w = 1 - ECCENTRICITY * Math.sin(phi) * Math.sin(phi);
    const east = AXIS / Math.sqrt(w), north = east * (1 - ECCENTRICITY) / w, degree = Math.PI / 180;
    return at.map(function (p) {
      return [(p.lng - first.lng) * degree * east * Math.cos((phi + p.lat * degree) / 2), (p.lat - first.lat) * degree * north];
    });
  }
  gm.lengthOf = function (at) {
    let sum = 0;
    for (let i = 1; i < at.length; i++) {
      const p = plane([at[i - 1], at[i]])[1];
      sum += Math.hypot(p[0], p[1]);
    }
    return sum;
  };
  gm.areaOf = function (at) {
    const p = plane(at);
    return Math.abs(p.reduce(function (sum, a, i) { const b = p[(i + 1) % p.length]; return sum + a[0] * b[1] - b[0] * a[1]; }, 0)) / 2;
  };

  function tell(app) {
    const say = app.say, metres = places ? gm.lengthOf(places) : 0;
    box.hidden = !places;
    button.setAttribute("aria-pressed", String(!!places));
    if (!places) return;
    const told = say("measure.distance", { n: metres < 1000 ? say("unit.m", { n: say.number(metres) }) : say("unit.km", { n: say.fine(metres / 1000) }) });
    box.textContent = places.length < 2 ? say("measure.hint")
      : places.length < 3 ? told : told + say("clause") + say("measure.area", { n: say.area(gm.areaOf(places)) });
  }

  gm.parts.push({
    dress: function (app, shell) {
      button = shell.button("measure", "M1.5 11 11 1.5 14.5 5 5 14.5zM4 8.5l1.5 1.5M6.5 6l2 2M9 3.5l1.5 1.5", function () {
        places = places ? null : [];
        tell(app);
        app.repaintChoice();
      });
      shell.onMap.appendChild(button);
      if (box) box.remove();
      box = gm.element("div", { class: "gm-measure", role: "status", "aria-live": "polite" });
      shell.stage.appendChild(box);
      tell(app);
    },
    start: function (app) {
      document.addEventListener("keydown", function (event) {
        if (event.key !== "Escape" || !places) return;
        places = null;
        tell(app);
        app.repaintChoice();
        event.stopImmediatePropagation();
      }, true);
    },
    tap: function (app, latlng) {
      if (!places) return [];
      places.push(latlng);
      tell(app);
      app.repaintChoice();
      return [true];
    },
    marks: function (app, view) {
      if (!places || !places.length) return;
      const context = view.context, at = places.map(function (p) {
        return [gm.worldX(p.lng) * view.scale - view.ox, gm.worldY(p.lat) * view.scale - view.oy];
      });
      context.beginPath();
      at.forEach(function (p, i) { if (i) context.lineTo(p[0], p[1]); else context.moveTo(p[0], p[1]); });
      if (at.length > 2) {
        context.fillStyle = "rgba(122,31,92,.12)";
        context.fill();
      }
      context.strokeStyle = COLOUR;
      context.lineWidth = 2;
      context.stroke();
      context.fillStyle = "#fff";
      at.forEach(function (p) {
        context.beginPath();
        context.arc(p[0], p[1], 3.5, 0, 2 * Math.PI);
        context.fill();
        context.stroke();
      });
    }
  });
})(window.gridmap = window.gridmap || {});
