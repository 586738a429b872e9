/* Print: the sheet that leaves the printer. The class is set while the browser prints. */
(function (gm) {
  "use strict";

  gm.parts.push({
    dress: function (app, shell) {
      const print = shell.button("button.print", "M4 6V2h8v4M4 12H2V6h12v6h-2M4 10h8v4H4z", function () { window.print(); });
      print.classList.add("gm-print");
      shell.tools.appendChild(print);
    },

    start: function (app) {
      const map = app.map;
      let before = null;
      window.addEventListener("beforeprint", function () {
        before = before || { bounds: map.getBounds(), center: map.getCenter(), zoom: map.getZoom() };
        document.documentElement.classList.add("gm-printing");
        map.invalidateSize({ animate: false, pan: false });
        map.fitBounds(before.bounds, { animate: false });
        app.renew();
      });
      window.addEventListener("afterprint", function () {
        document.documentElement.classList.remove("gm-printing");
        map.invalidateSize({ animate: false, pan: false });
        if (before) map.setView(before.center, before.zoom, { animate: false });
        before = null;
      });
    }
  });
})(window.gridmap = window.gridmap || {});
