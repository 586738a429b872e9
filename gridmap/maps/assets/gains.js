/* Gains: the tables of who gained between two states. All numbers come with the data. */
(function (gm) {
  "use strict";

  let live = null;                         // the table of one service, drawn anew when another is chosen

  function section(title) {
    const out = gm.element("section", { class: "gm-section gm-gains gm-tabled" }, gm.element("h3", {}, title));
    for (let i = 1; i < arguments.length; i++) if (arguments[i]) out.appendChild(arguments[i]);
    return out;
  }
  function table(heads, rows, facts) {
    const element = gm.element, body = element("tbody", {});
    rows.forEach(function (row) {
      const line = element("tr", row.attributes || {}, element("th", { scope: "row" }, row.name));
      row.cells.forEach(function (cell) { line.appendChild(element("td", {}, cell)); });
      body.appendChild(line);
    });
    const head = element("tr", {});
    heads.forEach(function (text) { head.appendChild(element("th", { scope: "col" }, text)); });
    return element("table", facts || {}, element("thead", {}, head), body);
  }
  function toward(app, before, after, as) { return app.say("gains.rate", { before: as(before), after: as(after) }); }
  function signed(app, n, sign) { return n ? sign + app.say.number(n) : app.say.number(0); }
  function link(text, go) { return gm.element("button", { type: "button", class: "gm-link", onclick: go }, gm.data(text)); }

  /* One row a service, of the whole area or of one community. */
  function services(app, of, row) {
    const say = app.say, rows = [];
    app.data.categories.forEach(function (category, c) {
      if (of.total[c] === undefined || of.total[c][row] === null) return;
      rows.push({
        name: link(category.label, function () { app.setCategory(c, true); }), attributes: { "data-category": category.id },
        cells: [toward(app, of.rate_before[c][row], of.rate_after[c][row], say.share), signed(app, of.gained[c][row], "+"), signed(app, of.lost[c][row], "−")]
      });
    });
    return table([say("gains.category"), say("gains.rates"), say("gains.gained"), say("gains.lost")], rows);
  }
  /* One row a community for the service that is looked at, who gained most first. */
  function communities(app, of) {
    const say = app.say, c = app.state.category, units = app.data.layers.communities, rows = [];
    const category = app.data.categories[c];
    if (!category || !of.total[c]) return gm.element("p", {});
    for (let f = 0; f < units.n; f++) {
      if (of.total[c][f] === null) continue;
      rows.push({
        net: of.gained[c][f] - of.lost[c][f], attributes: { "data-community": units.id[f] },
        name: link(units.name[f] || units.id[f], function () { app.select("communities", f, true); }),
        cells: [toward(app, of.rate_before[c][f], of.rate_after[c][f], say.share), signed(app, of.gained[c][f], "+"), signed(app, of.lost[c][f], "−")]
      });
    }
    rows.sort(function (a, b) { return b.net - a.net; });
    return gm.element("div", {}, gm.element("p", { class: "gm-note" }, say("gains.of", { category: category.label })),
      table([say("gains.community"), say("gains.rates"), say("gains.gained"), say("gains.lost")], rows));
  }

  function planSummary(app, plans) {
    const say = app.say, s = plans.summary, list = gm.element("dl", { class: "gm-facts" });
    [["changes.moved", say.number(s.households_moved), "households_moved"], ["changes.share", say.share(s.share_moved), "share_moved"],
      ["changes.buildings", say.number(s.buildings_moved), "buildings_moved"], ["changes.untouched", say.number(s.grids_untouched), "grids_untouched"],
      ["changes.changed", say.number(s.grids_changed), "grids_changed"], ["changes.new", say.number(s.grids_new), "grids_new"],
      ["changes.gone", say.number(s.grids_gone), "grids_gone"]].forEach(function (row) {
      list.appendChild(gm.element("dt", {}, say(row[0])));
      list.appendChild(gm.element("dd", { "data-change": row[2] }, row[1]));
    });
    return list;
  }
  function planCommunities(app, plans) {
    const say = app.say, of = plans.communities, units = app.data.layers.communities, rows = [];
    if (!units) return null;
    for (let f = 0; f < units.n; f++) {
      rows.push({
        moved: of.moved[f], attributes: { "data-community": units.id[f] },
        name: link(units.name[f] || units.id[f], function () { app.select("communities", f, true); }),
        cells: [toward(app, of.grids_before[f], of.grids_after[f], say.number), toward(app, of.in_band_before[f], of.in_band_after[f], say.number), say.number(of.moved[f])]
      });
    }
    rows.sort(function (a, b) { return b.moved - a.moved; });
    return table([say("gains.community"), say("changes.grids"), say("changes.in_band"), say("changes.households")], rows);
  }
  function cameFrom(app, plans, row) {
    const say = app.say, list = gm.element("ul", { class: "gm-came" });
    plans.from.forEach(function (one) {
      if (one[0] !== row) return;
      list.appendChild(gm.element("li", {}, one[1] ? gm.data(one[1]) : say("changes.elsewhere"), gm.element("span", {}, say("tip.households", { n: say.number(one[2]) }))));
    });
    return section(say("changes.came"), list.firstChild ? list : gm.element("p", { class: "gm-note" }, say("changes.none")));
  }

  gm.parts.push({
    panel: function (app, kind, row) {
      const gains = app.data.gains, say = app.say, out = [];
      live = null;
      if (!gains) return out;
      if (gains.covers && !kind) {
        out.push(section(say("gains.title"), gm.element("p", { class: "gm-note" }, say("gains.unit")), services(app, gains.covers.city, 0)));
        if (gains.covers.communities) {
          const holder = section(say("gains.community"), communities(app, gains.covers.communities));
          live = { app: app, node: holder, category: app.state.category };
          out.push(holder);
        }
      }
      if (gains.covers && gains.covers.communities && kind === "communities") out.push(section(say("gains.title"), services(app, gains.covers.communities, row)));
      if (gains.plans && !kind) out.push(section(say("changes.title"), planSummary(app, gains.plans), planCommunities(app, gains.plans)));
      if (gains.plans && kind === "grids" && !(app.state.selected && app.state.selected.side)) out.push(cameFrom(app, gains.plans, row));
      return out;
    },
    changed: function (app) {
      if (!live || live.category === app.state.category) return;
      live.category = app.state.category;
      live.node.replaceChild(communities(live.app, app.data.gains.covers.communities), live.node.lastChild);
    }
  });
})(window.gridmap = window.gridmap || {});
