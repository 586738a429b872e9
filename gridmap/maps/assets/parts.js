/* Parts: what further files add to the page. Each calls gm.parts.push({...}) with any of these functions of the app:
   layers(app)            more layers, as makeLayers in layers.js has them
   collected(app)         once the layers are made, each time they are
   changed(app)           each time the map is drawn anew; renew(app) where its canvas is
   start(app)             once, when the map stands
   dress(app, shell)      each time the words are set: at the start, and when the language changes;
                          shell.tools takes buttons, shell.button(key, path, act) makes one
   shown(app, root)       each time the side panel has been filled
   panel(app, kind, row)  more sections for the side panel; kind is null for the whole area
   lead(app)              what stands before the coverage of the whole area
   tap(app, latlng)       a click on the map, or Enter in its middle; true when it is taken and nothing is to be chosen
   marks(app, view)       more to draw over the map for what is chosen */
(function (gm) {
  "use strict";

  gm.parts = [];

  /* What the parts give for one of these functions, as one list. */
  gm.fromParts = function (name) {
    const given = Array.prototype.slice.call(arguments, 1);
    return gm.parts.reduce(function (all, part) {
      const own = part[name] ? part[name].apply(null, given) : null;
      return own ? all.concat(own) : all;
    }, []);
  };
})(window.gridmap = window.gridmap || {});
