/* Controls: what lies on the map itself: zoom, scale bar, coordinates, north arrow. */
(function (gm) {
  "use strict";

  gm.makeControls = function (app, shell) {
    const map = app.map, say = app.say, element = gm.element;
    const Scale = L.Control.Scale.extend({
      _updateMetric: function (metres) {
        const n = this._getRoundNum(metres);
        this._updateScale(this._mScale, n < 1000 ? say("unit.m", { n: n }) : say("unit.km", { n: n / 1000 }), n / metres);
      }
    });
    const scale = new Scale({ imperial: false, position: "bottomleft", maxWidth: 140 });
    const Buttons = L.Control.extend({
      onAdd: function () {
        const box = element("div", { class: "gm-buttons" },
          shell.button("zoom.in", "M8 3v10M3 8h10", function () { map.zoomIn(1); }),
          shell.button("zoom.out", "M3 8h10", function () { map.zoomOut(1); }),
          shell.button("button.home", "M2.5 8 8 3l5.5 5M4 7.2V13h8V7.2", function () { app.home(); }),
          document.fullscreenEnabled ? shell.button("fullscreen", "M2.5 6V2.5h3.5M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10", function () {
            if (document.fullscreenElement) document.exitFullscreen(); else document.documentElement.requestFullscreen();
          }) : null);
        shell.onMap = box;
        L.DomEvent.disableClickPropagation(box);
        return box;
      }
    });
    const buttons = new Buttons({ position: "topright" });
    const North = L.Control.extend({
      onAdd: function () { return element("div", { class: "gm-north", "aria-hidden": "true" }, gm.icon("M8 1 12 14 8 11 4 14z"), element("span", {}, say("north"))); }
    });
    const Readout = L.Control.extend({
      onAdd: function () {
        const box = element("div", { class: "gm-readout" });
        const show = function (at) {
          box.textContent = say("readout", { lat: at.lat.toFixed(5), lon: at.lng.toFixed(5), datum: app.data.datum });
        };
        this._follow = function (event) { show(event.latlng || map.getCenter()); };
        map.on("mousemove move", this._follow);
        show(map.getCenter());
        return box;
      },
      onRemove: function () { map.off("mousemove move", this._follow); }
    });
    const all = [scale, new Readout({ position: "bottomleft" }), buttons, new North({ position: "bottomright" })];
    all.forEach(function (control) { control.addTo(map); });
    return { remove: function () { all.forEach(function (control) { control.remove(); }); } };
  };
})(window.gridmap = window.gridmap || {});
