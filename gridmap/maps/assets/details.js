/* Details: the side panel. It shows numbers that the tables gave, and computes none. */
(function (gm) {
  "use strict";

  gm.makeDetails = function (app, root) {
    const say = app.say, data = app.data, element = gm.element, tables = data.layers;
    const coded = {};
    ["grids", "communities", "buildings"].forEach(function (kind) {
      if (!tables[kind]) return;
      ["kind", "status", "use", "counted"].forEach(function (column) { if (tables[kind][column]) coded[kind + "." + column] = gm.coded(tables[kind][column]); });
    });
    const severity = tables.findings ? gm.coded(tables.findings.severity) : null;
    const gridOf = tables.buildings && tables.buildings.grid ? gm.varints(tables.buildings.grid) : null;
    const compoundOf = tables.buildings && tables.buildings.compound ? gm.varints(tables.buildings.compound) : null;
    const householdsLabel = data.city.estimated ? say("fact.households_estimated") : say("fact.households");

    function heading(kicker, title, code, badge) {
      return element("header", { class: "gm-heading" },
        kicker ? element("p", { class: "gm-kicker" }, kicker) : null,
        element("h2", { tabindex: "-1" }, badge || null, title),
        code ? element("p", { class: "gm-code" }, gm.data(code)) : null);
    }

    function facts(rows) {
      const list = element("dl", { class: "gm-facts" });
      rows.forEach(function (row) {
        if (!row || row[1] === null || row[1] === undefined || row[1] === "") return;
        list.appendChild(element("dt", {}, row[0]));
        list.appendChild(element("dd", row[2] ? { "data-fact": row[2] } : {}, row[1]));
      });
      return list.firstChild ? list : null;
    }

    function section(title) {
      const out = element("section", { class: "gm-section" }, element("h3", {}, title));
      for (let i = 1; i < arguments.length; i++) if (arguments[i]) out.appendChild(arguments[i]);
      return out;
    }

    function link(text, go, cls) { return element("button", { type: "button", class: "gm-link " + (cls || ""), onclick: go }, text); }

    function statusChip(status) {
      return element("span", { class: "gm-chip gm-status-" + status }, say("status." + status));
    }

    /* what a grid counts, and the limits of its own band */
    function bandOf(row) {
      const t = tables.grids;
      if (!t.held) return { held: t.households ? t.households[row] : null, lower: data.band[0], upper: data.band[1] };
      return { held: t.held[row], lower: t.lower[row], upper: t.upper[row], counted: data.counted[coded["grids.counted"](row)] };
    }

    /* the count on a line with the band marked */
    function gauge(band) {
      const end = band.upper === null ? band.lower * 2 : band.upper, top = Math.max(end * 1.4, band.held * 1.08);
      const percent = function (v) { return (100 * v / top).toFixed(2) + "%"; };
      const right = band.upper === null ? top : band.upper;
      return element("div", { class: "gm-gauge", "aria-hidden": "true" },
        element("div", { class: "gm-gauge-band", style: { left: percent(band.lower), width: percent(right - band.lower) } }),
        element("div", { class: "gm-gauge-fill", style: { width: percent(band.held) } }),
        element("span", { class: "gm-gauge-tick", style: { left: percent(band.lower) } }, say.number(band.lower)),
        band.upper === null ? null : element("span", { class: "gm-gauge-tick", style: { left: percent(band.upper) } }, say.number(band.upper)));
    }

    function bandText(band) {
      const numbers = { n: say.number(band.held), counted: band.counted, lower: say.number(band.lower) };
      if (band.upper === null) return say("band.from", numbers);
      numbers.upper = say.number(band.upper);
      return say("band.between", numbers);
    }

    function inBand(lower, upper) {
      return data.city.bands_differ ? say("fact.in_own_band") : say("fact.in_band", { lower: say.number(lower), upper: say.number(upper) });
    }

    /* One bar a category: which = "city" | "grids" | "communities" */
    function coverage(which, row) {
      const all = data.coverage, of = all && all[which];
      if (!of) return null;
      const list = element("ul", { class: "gm-bars" });
      let total = null;
      data.categories.forEach(function (category, c) {
        if (!all.measured[c]) return;
        const rate = of.rate[c][row], institutions = of.facilities[c][row];
        if (of.total[c][row] !== null) total = of.total[c][row];
        const label = category.label;
        const value = rate === null ? say("coverage.none") : say.share(rate);
        const title = rate === null ? "" : say("coverage.row", { covered: say.number(of.covered[c][row]), total: say.number(of.total[c][row]) });
        const bar = element("button", {
          type: "button", class: "gm-bar" + (c === app.state.category ? " gm-current" : ""), title: title, "data-category": category.id,
          "data-rate": rate === null ? "" : rate, onclick: function () { app.setCategory(c, true); }
        },
          gm.badge(category, 18),
          element("span", { class: "gm-bar-name" }, gm.data(label), limit(c)),
          element("span", { class: "gm-bar-value" }, value),
          element("span", { class: "gm-bar-track" }, element("span", { class: "gm-bar-fill", style: { width: (100 * (rate || 0)).toFixed(2) + "%" } })),
          which !== "city" && institutions > 0 ? element("span", { class: "gm-bar-note" }, say("coverage.institutional")) : null);
        list.appendChild(element("li", {}, bar, nearestOf(of, c, row)));
      });
      const key = data.city.estimated ? "coverage.of_estimated" : "coverage.of";
      const same = sameLimit();
      const note = (total === null ? "" : say(key, { n: say.number(total) })) + (same === null ? "" : say("clause") + within(same));
      return section(say("section.coverage"), note ? element("p", { class: "gm-note" }, note) : null, list);
    }

    /* the facility nearest to most households of a unit, and how far half of them have to go at most to the nearest */
    function nearestOf(of, c, row) {
      if (!of.nearest || !of.nearest[c][row] && of.distance[c][row] === null) return null;
      const facility = of.nearest[c][row] - 1, far = of.distance[c][row];
      const words = far === null ? say("nearest.none") : say("nearest." + data.coverage.measure, { n: say.number(far) });
      return element("p", { class: "gm-bar-nearest" },
        element("span", { "data-fact": "distance" }, words),
        facility < 0 ? null : say("clause"),
        facility < 0 ? null : link(gm.data(tables.facilities.name[facility] || data.categories[c].label), function () { app.select("facilities", facility, true); }));
    }

    function ranks(row) {
      const t = tables.grids, all = gm.sum(t.community, function (c) { return c === t.community[row]; });
      if (t.community[row] < 0 || all < 2) return null;
      const list = facts(["households", "density", "coverage"].map(function (name) {
        const place = t.ranks[name] && t.ranks[name][row];
        return place ? [say("rank." + name), say("rank.place", { n: say.number(place) }), "rank-" + name] : null;
      }));
      return list ? section(say("section.ranks", { n: say.number(all) }), list) : null;
    }

    function sameLimit() {
      const limits = data.coverage.limits.filter(function (l, c) { return l !== null && data.coverage.measured[c]; });
      return limits.length && limits.every(function (l) { return l === limits[0]; }) ? limits[0] : null;
    }
    function within(limit) {
      const key = (data.coverage.straight ? "coverage.straight_" : "coverage.within_") + data.coverage.measure;
      return say(key, { n: say.number(limit) });
    }
    function limit(c) {
      if (sameLimit() !== null || data.coverage.limits[c] === null) return null;
      return element("span", { class: "gm-limit" }, say(data.coverage.measure === "minutes" ? "unit.min" : "unit.m", { n: say.number(data.coverage.limits[c]) }));
    }

    function findingCard(f) {
      const findings = tables.findings, place = app.bounds("findings", f);
      const grids = findings.grid[f], kind = severity(f) || "info";
      const go = grids.length === 1 ? function () { app.select("grids", grids[0], true); } : place ? function () { app.zoomTo("findings", f); } : null;
      return element("li", { class: "gm-finding gm-" + kind },
        element("span", { class: "gm-severity" }, say("severity." + kind)),
        element("p", {}, gm.data(findings.text[f])),
        findings.cure[f] ? element("p", { class: "gm-cure" }, say("finding.cure", { cure: "" }), gm.data(findings.cure[f])) : null,
        go ? link(say("button.zoom"), go) : null);
    }

    function findingList(rows, most) {
      if (!rows.length) return null;
      const list = element("ul", { class: "gm-findings" });
      rows.slice(0, most).forEach(function (f) { list.appendChild(findingCard(f)); });
      const out = section(say("section.findings") + " · " + say.number(rows.length), list);
      if (rows.length > most) {
        const more = link(say("button.more", { n: say.number(rows.length) }), function () {
          rows.slice(most).forEach(function (f) { list.appendChild(findingCard(f)); });
          more.remove();
        });
        out.appendChild(more);
      }
      return out;
    }

    function gridsOf(community) {
      const rows = [];
      if (tables.grids) tables.grids.community.forEach(function (c, f) { if (c === community) rows.push(f); });
      if (!rows.length) return null;
      const list = element("ul", { class: "gm-gridlist" });
      rows.forEach(function (f) {
        const status = coded["grids.status"](f);
        const households = tables.grids.households ? tables.grids.households[f] : null;
        list.appendChild(element("li", {}, link(element("span", {},
          gm.data(tables.grids.name[f] || tables.grids.label[f]),
          element("span", { class: "gm-gridlist-number" }, (status === "above" ? "▲ " : status === "below" ? "▼ " : "") + say.number(households))
        ), function () { app.select("grids", f, true); }, "gm-status-" + status)));
      });
      return section(say("section.grids") + " · " + say.number(rows.length), list);
    }

    function unitFacts(kind, row) {
      const t = tables[kind], get = function (c) { return t[c] ? t[c][row] : null; };
      const number = function (v) { return v === null || v === undefined ? null : say.number(v); };
      return [
        [householdsLabel, number(get("households")), "households"],
        [say("fact.residents"), number(get("residents")), "residents"],
        [say("fact.area"), get("area_m2") === null ? null : say.area(get("area_m2")), "area"],
        [say("fact.density"), get("density") === null || !t.density ? null : say("unit.per_ha", { n: say.number(get("density")) }), "density"],
        [say("fact.buildings"), number(get("buildings")), "buildings"]
      ];
    }

    const pages = {
      city: function () {
        const city = data.city, out = [heading(null, say("panel.city"))];
        const tiles = element("div", { class: "gm-tiles" });
        const tile = function (label, value, fact, note) {
          tiles.appendChild(element("div", { class: "gm-tile" }, element("span", { class: "gm-tile-value", "data-fact": fact }, value),
            element("span", { class: "gm-tile-label" }, label), note ? element("span", { class: "gm-tile-note" }, note) : null));
        };
        if (city.grids !== undefined) tile(say("fact.grids"), say.number(city.grids), "grids");
        if (city.judged) tile(inBand(city.lower, city.upper), say.share(city.in_band_share), "in_band", say("share.of", { part: say.number(city.in_band), all: say.number(city.judged) }));
        if (city.households !== undefined) tile(householdsLabel, say.number(city.households), "households");
        if (city.communities !== undefined) tile(say("fact.communities"), say.number(city.communities), "communities");
        if (tiles.children.length < 4 && city.facilities !== undefined) tile(say("fact.facilities"), say.number(city.facilities), "facilities");
        if (tiles.firstChild) out.push(tiles);
        out.push(facts([
          [say("fact.residents"), city.residents === undefined ? null : say.number(city.residents), "residents"],
          [say("fact.area"), city.area_m2 === undefined ? null : say.area(city.area_m2), "area"],
          [say("fact.buildings"), city.buildings === undefined ? null : say.number(city.buildings), "buildings"]
        ]));
        if (city.statuses) out.push(statuses(city.statuses));
        out.push(element("p", { class: "gm-tip" }, say("panel.hint")));
        out.push.apply(out, gm.fromParts("lead", app));
        out.push(coverage("city", 0));
        if (tables.findings) out.push(findingList(range(tables.findings.n), 5));
        out.push(notes());
        return out;
      },

      grids: function (row) {
        const t = tables.grids, status = coded["grids.status"](row), kind = coded["grids.kind"](row);
        const out = [back(), heading(say("panel.grid"), gm.data(t.name[row] || t.label[row]), t.id[row])];
        const households = t.households ? t.households[row] : null;
        out.push(element("div", { class: "gm-headline" },
          households !== null ? element("span", { class: "gm-big", "data-fact": "headline" }, say.number(households)) : null,
          households !== null ? element("span", { class: "gm-big-unit" }, say(data.city.estimated ? "unit.households_estimated" : "unit.households")) : null, statusChip(status)));
        const band = bandOf(row), judged = band.held !== null && status !== "dedicated" && status !== "empty";
        if (judged) out.push(gauge(band));
        const community = t.community[row];
        out.push(facts(unitFacts("grids", row).slice(1).concat([
          [say("fact.band"), judged && band.counted ? bandText(band) : null, "band"],
          [say("fact.kind"), kind ? say.kind("kind.", kind) : null],
          community >= 0 ? [say("fact.community"), link(gm.data(tables.communities.name[community] || tables.communities.id[community]), function () { app.select("communities", community, true); })] : null
        ])));
        out.push(facts(Object.keys(t.own || {}).map(function (name) { return [say.has("fact." + name) ? say("fact." + name) : gm.data(name.replace(/_/g, " ")), value(t.own[name][row])]; })));
        out.push(findingList(findingsOf(row), 20));
        out.push(ranks(row));
        out.push(coverage("grids", row));
        return out;
      },

      communities: function (row) {
        const t = tables.communities, kind = coded["communities.kind"](row);
        const out = [back(), heading(say("panel.community"), gm.data(t.name[row] || t.id[row]), t.id[row])];
        out.push(facts(unitFacts("communities", row).concat([
          [say("fact.kind"), kind ? say.kind("kind.", kind) : null],
          t.grids ? [say("fact.grids"), say.number(t.grids[row]), "grids"] : null,
          t.in_band ? [inBand(data.band[0], data.band[1]), say.number(t.in_band[row]), "in_band"] : null
        ])));
        out.push(coverage("communities", row));
        out.push(gridsOf(row));
        return out;
      },

      compounds: function (row) {
        const t = tables.compounds;
        return [back(), heading(say("panel.compound"), gm.data(t.name[row] || t.id[row]), t.id[row]),
          facts([[householdsLabel, t.households.length ? say.number(t.households[row]) : null, "households"]])];
      },

      facilities: function (row) {
        const t = tables.facilities, category = data.categories[t.category[row]], get = function (c) { return t[c] ? t[c][row] : ""; };
        return [back(), heading(category ? gm.data(category.label) : say("panel.facility"), gm.data(t.name[row] || (category ? category.label : t.id[row])), t.id[row], category ? gm.badge(category, 22) : null),
          facts([
            [say("fact.address"), get("address") ? gm.data(get("address")) : null],
            [say("fact.phone"), get("phone") ? gm.data(get("phone")) : null],
            [say("fact.hours"), get("opening_hours") ? gm.data(get("opening_hours")) : null],
            [say("fact.status"), get("status") ? gm.data(say.kind("facility_status.", get("status"))) : null],
            t.site_rank && t.site_rank[row] !== null ? [say("fact.site_rank"), say.number(t.site_rank[row])] : null,
            t.site_gain && t.site_gain[row] !== null ? [say("fact.site_gain"), say.number(t.site_gain[row])] : null
          ])];
      },

      buildings: function (row) {
        const t = tables.buildings, name = t.name ? t.name[row] : "", use = coded["buildings.use"] ? coded["buildings.use"](row) : "";
        const grid = gridOf ? gridOf[row] - 1 : -1, compound = compoundOf ? compoundOf[row] - 1 : -1;
        const out = [back(), heading(say("panel.building"), gm.data(name || t.id[row]), name ? t.id[row] : null)];
        out.push(facts([
          [householdsLabel, t.households.length ? say.number(t.households[row]) : null, "households"],
          [say("fact.floors"), t.floors.length && t.floors[row] !== null ? say.number(t.floors[row]) : null],
          [say("fact.use"), use ? gm.data(say.kind("use.", use)) : null],
          grid >= 0 ? [say("fact.grid"), link(gm.data(tables.grids.name[grid] || tables.grids.label[grid]), function () { app.select("grids", grid); })] : null,
          compound >= 0 ? [say("fact.compound"), link(gm.data(tables.compounds.name[compound] || tables.compounds.id[compound]), function () { app.select("compounds", compound); })] : null
        ]));
        out.push(reach(row));
        return out;
      }
    };

    /* a value of a column that the page knows nothing about */
    function value(v) {
      return v === null || v === "" ? null : typeof v === "number" ? say.number(v) : typeof v === "boolean" ? say(v ? "yes" : "no") : gm.data(v);
    }

    function own(kind, row) {
      const layer = data.own[+kind.slice(3)];
      return [back(), heading(null, gm.data(layer.name)), facts(layer.columns.map(function (column, c) {
        return [say.has("fact." + column) ? say("fact." + column) : gm.data(column), value(layer.values[c][row])];
      }))];
    }

    function reach(row) {
      if (!tables.buildings.reach || !data.coverage) return null;
      const list = element("ul", { class: "gm-reach" });
      data.categories.forEach(function (category, c) {
        const code = app.reach(c)[row];
        if (code === 0x7fff) return;
        const facility = app.nearest(c, row), covered = code < 0x8000;
        const where = code === 0xffff ? say("reach.unreachable") : code === 0xfffe ? say("reach.unsnapped") : say.minutes((code & 0x7fff) / 10);
        const name = facility >= 0 ? tables.facilities.name[facility] || category.label : "";
        list.appendChild(element("li", { class: covered ? "gm-covered" : "gm-uncovered", "data-category": category.id },
          gm.badge(category, 18),
          element("span", { class: "gm-reach-name" }, gm.data(category.label), facility >= 0 ? link(gm.data(name), function () { app.select("facilities", facility, true); }) : null),
          element("span", { class: "gm-reach-value" }, where, element("span", { class: "gm-reach-mark" }, say(covered ? "reach.covered" : "reach.uncovered"))),
          routeButton(row, c, facility, name)));
      });
      return section(say(data.coverage.straight ? "section.reach_straight" : "section.reach"), list);
    }

    function routeButton(row, c, facility, name) {
      if (!app.route || facility < 0 || !app.route(row, c)) return null;
      const label = say("button.route", { name: name }), on = c === app.state.category;
      return element("button", {
        type: "button", class: "gm-route" + (on ? " gm-current" : ""), "aria-pressed": String(on), "aria-label": label, title: label,
        onclick: function () {
          app.state.visible.routes = true;
          app.setCategory(c);
          app.showRoute(row, c);
          app.select("buildings", row);
          const again = root.querySelector('.gm-route[aria-pressed="true"]');
          if (again) again.focus();
        }
      }, gm.icon("M4 13.5a1.8 1.8 0 1 1 0-.1M12 2.5a1.8 1.8 0 1 1 0 .1M5.8 13.4H10a2.4 2.4 0 0 0 0-4.8H6a2.4 2.4 0 0 1 0-4.8h4.2"));
    }

    function statuses(counts) {
      const order = ["legal", "above", "below", "dedicated", "empty", "unknown"].filter(function (s) { return counts[s]; });
      const bar = element("div", { class: "gm-stack", "aria-hidden": "true" }), list = element("ul", { class: "gm-stack-list" });
      order.forEach(function (s) {
        bar.appendChild(element("span", { class: "gm-status-" + s, style: { flexGrow: counts[s] } }));
        list.appendChild(element("li", {}, element("span", { class: "gm-stack-key gm-status-" + s }), say("status." + s),
          element("span", { class: "gm-count", "data-status": s }, say.number(counts[s]))));
      });
      return section(say("section.statuses"), bar, list);
    }

    function notes() {
      const list = element("ul", { class: "gm-notes" });
      data.notes.forEach(function (note) { list.appendChild(element("li", {}, gm.data(note))); });
      return section(say("section.notes"), list);
    }

    function back() { return link("‹ " + say("button.back"), function () { app.select(null); }, "gm-back"); }
    function range(n) { const out = []; for (let i = 0; i < n; i++) out.push(i); return out; }
    function findingsOf(grid) {
      if (!tables.findings) return [];
      return range(tables.findings.n).filter(function (f) { return tables.findings.grid[f].indexOf(grid) >= 0; });
    }

    return {
      show: function (selected, focus) {
        gm.empty(root);
        const parts = !selected ? pages.city() : pages[selected.kind] ? pages[selected.kind](selected.row) : own(selected.kind, selected.row);
        parts.push.apply(parts, gm.fromParts("panel", app, selected ? selected.kind : null, selected ? selected.row : 0));
        parts.forEach(function (part) { if (part) root.appendChild(part); });
        root.scrollTop = 0;
        if (focus) { const title = root.querySelector("h2"); if (title) title.focus({ preventScroll: true }); }
      }
    };
  };
})(window.gridmap = window.gridmap || {});
