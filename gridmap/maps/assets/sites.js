/* Sites: the chosen ones by rank, and the coverage before and after. All numbers come with the data. */
(function (gm) {
  "use strict";

  function table(heads, rows) {
    const element = gm.element, head = element("tr", {}), body = element("tbody", {});
    heads.forEach(function (text) { head.appendChild(element("th", { scope: "col" }, text)); });
    rows.forEach(function (row) {
      const line = element("tr", { "data-site": row.id || "" }, element("th", { scope: "row" }, row.name));
      row.cells.forEach(function (cell) { line.appendChild(element("td", {}, cell)); });
      body.appendChild(line);
    });
    return element("table", {}, element("thead", {}, head), body);
  }
  function link(text, go) { return gm.element("button", { type: "button", class: "gm-link", onclick: go }, gm.data(text)); }

  gm.parts.push({
    lead: function (app) {
      const sites = app.data.sites, say = app.say, facilities = app.data.layers.facilities;
      if (!sites) return [];
      const rates = sites.category.map(function (c, i) {
        const category = app.data.categories[c];
        return {
          name: link(category.label, function () { app.setCategory(c, true); }),
          cells: [say("gains.rate", { before: say.share(sites.rate_before[i]), after: say.share(sites.rate_after[i]) }), say.share(sites.rate_reachable[i])]
        };
      });
      const chosen = sites.row.map(function (f, i) {
        return {
          id: facilities.id[f], name: link(sites.rank[i] + ". " + (facilities.name[f] || sites.place[i]), function () { app.select("facilities", f, true); }),
          cells: [say.number(sites.gain[i])]
        };
      });
      const proof = say(sites.proved ? "sites.proved" : "sites.gap", { n: say.share(sites.gap) });
      return [gm.element("section", { class: "gm-section gm-tabled" }, gm.element("h3", {}, say("sites.title")),
        gm.element("p", { class: "gm-note" }, proof),
        table([say("gains.category"), say("gains.rates"), say("sites.reachable")], rates),
        chosen.length ? table([say("sites.site"), say("sites." + sites.unit)], chosen) : null)];
    }
  });
})(window.gridmap = window.gridmap || {});
