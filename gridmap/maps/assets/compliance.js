/* Compliance: how many requirements a unit meets, and what it lacks. All words and numbers come with the data. */
(function (gm) {
  "use strict";

  gm.parts.push({
    panel: function (app, kind, row) {
      const all = app.data.compliance, of = all && all[kind || "city"], say = app.say, element = gm.element;
      if (!of || (app.state.selected && app.state.selected.side)) return [];
      const section = element("section", { class: "gm-section gm-compliance" },
        element("h3", {}, say("section.compliance")));
      const counts = { met: say.number(of.met[row]), judged: say.number(of.judged[row]), open: say.number(of.open[row]) };
      section.appendChild(element("p", { class: "gm-note", "data-fact": "compliance" },
        of.judged[row] ? say("compliance.met", counts) : say("compliance.none"),
        of.open[row] ? say("compliance.open", counts) : null));
      if (of.unmet[row].length) {
        const list = element("ul", { class: "gm-findings" });
        of.unmet[row].forEach(function (one) {
          list.appendChild(element("li", { class: "gm-finding gm-" + one[2] },
            element("p", {}, gm.data(one[0])), element("p", { class: "gm-cure" }, gm.data(one[1]))));
        });
        section.appendChild(list);
      }
      return [section];
    }
  });
})(window.gridmap = window.gridmap || {});
