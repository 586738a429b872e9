/* Legend: the list of layers and what each one shows, in one; so the legend cannot differ from what is drawn. */
(function (gm) {
  "use strict";

  const GROUPS = ["grids", "services", "own", "ground"];

  gm.makeLegend = function (app, root) {
    const say = app.say, data = app.data, element = gm.element;
    const refreshers = [];

    function row(layer) {
      const body = element("div", { class: "gm-classes" });
      const box = element("input", {
        type: "checkbox", id: "gm-layer-" + layer.key, "data-layer": layer.key,
        onchange: function () { app.show(layer.key, box.checked); }
      });
      const label = element("label", { class: "gm-layer-name", for: box.id }, box,
        layer.swatch ? gm.swatch(layer.swatch) : null,
        layer.dataLabel ? gm.data(layer.label) : element("span", {}, layer.label),
        layer.count ? element("span", { class: "gm-count" }, say.number(layer.count)) : null);
      const hint = element("span", { class: "gm-hint" }, say("hint.zoom"));
      const out = element("div", { class: "gm-layer", "data-layer": layer.key }, label, hint, body);
      refreshers.push(function () {
        const on = !!app.state.visible[layer.key];
        box.checked = on;
        out.classList.toggle("gm-off", !on);
        out.classList.toggle("gm-idle", !!layer.idle && layer.idle());
        hint.hidden = !on || app.map.getZoom() >= layer.minZoom;
        gm.empty(body);
        if (!on) return;
        if (layer.key === "grids" && data.themes.length) body.appendChild(themes());
        if (layer.categories) body.appendChild(categories());
        const rows = layer.legend();
        rows.forEach(function (cls) { body.appendChild(classRow(cls)); });
      });
      return out;
    }

    function classRow(cls) {
      if (cls.text) return element("p", { class: "gm-class-note" }, cls.text);
      return element("div", { class: "gm-class" }, gm.swatch(cls.swatch),
        element("span", { class: "gm-class-label" }, (cls.mark === "above" ? "▲ " : cls.mark === "below" ? "▼ " : "") + (cls.label || "")),
        cls.count !== undefined ? element("span", { class: "gm-count" }, say.number(cls.count)) : null);
    }

    function themes() {
      const select = element("select", {
        id: "gm-theme", "aria-label": say("theme"),
        onchange: function () { app.setTheme(+select.value); }
      });
      data.themes.forEach(function (theme, i) { select.appendChild(element("option", { value: i }, theme.label)); });
      select.appendChild(element("option", { value: -1 }, say("theme.none")));
      select.value = app.state.theme;
      select.disabled = app.isDrawn("circles");
      return element("div", { class: "gm-field" }, element("span", { class: "gm-field-name" }, say("theme")), select);
    }

    function categories() {
      const list = element("div", { class: "gm-categories" });
      data.categories.forEach(function (category, i) {
        if (!category.count) return;
        const box = element("input", {
          type: "checkbox", "data-category": category.id,
          onchange: function () { app.showCategory(i, box.checked); }
        });
        box.checked = !app.state.hidden[i];
        list.appendChild(element("label", { class: "gm-class gm-category" + (app.focused() && i !== app.state.category ? " gm-dim" : "") }, box, gm.badge(category, 16),
          element("span", { class: "gm-class-label" }, gm.data(category.label)),
          element("span", { class: "gm-count" }, say.number(category.count))));
      });
      return list;
    }

    function service() {
      const select = element("select", {
        id: "gm-service", "aria-label": say("service"),
        onchange: function () { app.setCategory(+select.value); }
      });
      data.categories.forEach(function (category, i) { select.appendChild(element("option", { value: i }, category.label)); });
      refreshers.push(function () { select.value = app.state.category; });
      return element("div", { class: "gm-field gm-service" }, element("span", { class: "gm-field-name" }, say("service")), select);
    }

    root.appendChild(element("h2", {}, say("layers")));
    GROUPS.forEach(function (group) {
      const mine = app.layers.filter(function (layer) { return layer.group === group; });
      if (!mine.length) return;
      const section = element("section", { class: "gm-group", "data-group": group }, element("h3", {}, say("group." + group)));
      mine.sort(function (a, b) { return ORDER(a) - ORDER(b); });
      if (mine.some(function (l) { return l.byCategory; })) section.appendChild(service());
      mine.forEach(function (layer) { section.appendChild(row(layer)); });
      root.appendChild(section);
    });

    function refresh() { refreshers.forEach(function (f) { f(); }); }
    refresh();
    return { refresh: refresh };
  };

  function ORDER(layer) {
    const at = ["grids", "communities", "compounds", "entrances", "findings", "atoms", "circles", "blind", "gaps", "routes", "facilities", "buildings", "streets", "barriers", "blocks"].indexOf(layer.key);
    return at < 0 ? 99 : at;
  }
})(window.gridmap = window.gridmap || {});
