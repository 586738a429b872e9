/* Shell: title, search, legend and panel around the map, made anew when the language changes. */
(function (gm) {
  "use strict";

  /* What a reader of the other language looks for, whatever the page speaks. */
  const OTHER = { en: "中文", zh: "English" };

  gm.icon = function (path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.appendChild(line);
    return svg;
  };

  gm.makeShell = function (id, data, say) {
    const element = gm.element, app = document.getElementById("gm-app"), box = document.getElementById(id);
    const stage = element("main", { class: "gm-stage" });
    const shell = { stage: stage };
    let made = [];
    app.insertBefore(stage, box);
    stage.appendChild(box);

    const isWide = function (panel) { return getComputedStyle(panel).position === "static"; };
    const set = function (panel, button, open) {
      panel.classList.toggle("gm-open", open);
      panel.classList.toggle("gm-closed", !open);
      button.setAttribute("aria-expanded", String(open));
    };
    const toggle = function (panel, key, path) {
      const button = shell.button(key, path, function () { set(panel, button, !panel.classList.contains("gm-open") && !isWide(panel) || panel.classList.contains("gm-closed")); });
      button.classList.add("gm-toggle");
      button.setAttribute("aria-controls", panel.id);
      button.setAttribute("aria-expanded", String(!panel.classList.contains("gm-closed")));
      return button;
    };

    shell.button = function (key, path, act) {
      return element("button", { type: "button", class: "gm-icon", "aria-label": say(key), title: say(key), onclick: act }, gm.icon(path));
    };
    shell.dress = function (app_) {
      const open = made.length ? [shell.legend.className, shell.details.className] : ["gm-legend", "gm-details"];
      made.forEach(function (node) { node.remove(); });
      document.documentElement.lang = data.lang === "zh" ? "zh-CN" : "en";
      document.title = data.title;
      shell.search = element("div", { class: "gm-search", role: "search" });
      shell.legend = element("aside", { class: open[0], id: "gm-legend", "aria-label": say("layers") });
      shell.details = element("aside", { class: open[1], id: "gm-details", "aria-label": say("details") });
      shell.tools = element("div", { class: "gm-tools" });
      const left = toggle(shell.legend, "button.layers", "M2 4h12M2 8h12M2 12h12");
      const right = toggle(shell.details, "button.details", "M3 14V8M8 14V2M13 14v-9");
      const language = data.other ? element("button", {
        type: "button", class: "gm-icon gm-language", lang: data.lang === "zh" ? "en" : "zh-CN", onclick: app_.otherLanguage
      }, OTHER[data.lang]) : null;
      const header = element("header", { class: "gm-top" }, left,
        element("div", { class: "gm-title" }, element("h1", {}, gm.data(data.title)), element("p", {}, say("date", { date: data.date }),
          data.approval ? element("span", { class: "gm-approval" }, say("approval", { number: data.approval })) : null)),
        data.internal ? element("strong", { class: "gm-internal" }, say("internal")) : null,
        shell.search, shell.tools, language, right);
      made = [element("a", { class: "gm-skip", href: "#" + id }, say("skip")), header, shell.legend, shell.details];
      made.forEach(function (node) { if (node === shell.details) app.appendChild(node); else app.insertBefore(node, stage); });
      shell.language = language;
      shell.reveal = function () {
        if (!isWide(shell.details) || shell.details.classList.contains("gm-closed")) set(shell.details, right, true);
      };
    };
    return shell;
  };
})(window.gridmap = window.gridmap || {});
