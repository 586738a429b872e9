/* Format: words and numbers of the page's language, and elements made of text only (never of HTML in the data). */
(function (gm) {
  "use strict";

  /* words: changed in place by a change of language, which `say.use` tells of. */
  gm.speaker = function (words, lang) {
    let whole, tenth, fine;
    function say(key, values) {
      let text = words[key];
      if (text === undefined) return key;
      for (const name in values || {}) text = text.split("{" + name + "}").join(String(values[name]));
      return text;
    }
    say.use = function (next) {
      lang = next;
      const locale = lang === "zh" ? "zh-CN" : "en-GB";
      whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
      tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
      fine = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
    };
    say.use(lang);
    say.has = function (key) { return words[key] !== undefined; };
    say.number = function (value) {
      if (value === null || value === undefined) return words.none;
      return Number.isInteger(value) || Math.abs(value) >= 1000 ? whole.format(value) : tenth.format(value);
    };
    /* A share never reads as whole or nothing unless it is. */
    say.share = function (rate) {
      if (rate === null || rate === undefined) return words.none;
      let percent = Math.round(rate * 1000) / 10;
      if (rate < 1 && percent >= 100) percent = 99.9;
      if (rate > 0 && percent <= 0) percent = 0.1;
      return percent.toFixed(1) + (lang === "zh" ? "%" : " %");
    };
    say.fine = function (value) { return fine.format(value); };
    say.area = function (squareMetres) {
      if (squareMetres === null || squareMetres === undefined) return words.none;
      if (squareMetres >= 1e6) return say("unit.km2", { n: fine.format(squareMetres / 1e6) });
      if (squareMetres >= 1e3) return say("unit.ha", { n: fine.format(squareMetres / 1e4) });
      return say("unit.m2", { n: whole.format(squareMetres) });
    };
    say.minutes = function (minutes) { return say("unit.min", { n: tenth.format(minutes) }); };
    say.kind = function (prefix, value) { return say.has(prefix + value) ? say(prefix + value) : value; };
    say.join = function (parts) { return parts.join(words["list.join"]); };
    return say;
  };

  /* Gives `data` what `other` holds, and `other` what was there: the other language, and back. */
  gm.swap = function (data, other) {
    for (const key in other) {
      const value = other[key], old = data[key];
      if (value && typeof value === "object" && !Array.isArray(value) && old && typeof old === "object") gm.swap(old, value);
      else { data[key] = value; other[key] = old; }
    }
  };

  /* element("p", {class: "x", onclick: f}, "text", child, ...) */
  gm.element = function (tag, options) {
    const out = document.createElement(tag);
    for (const name in options || {}) {
      const value = options[name];
      if (value === null || value === undefined || value === false) continue;
      if (name.slice(0, 2) === "on") out.addEventListener(name.slice(2), value);
      else if (name === "style") for (const key in value) out.style[key] = value[key];
      else out.setAttribute(name, value === true ? "" : value);
    }
    for (let i = 2; i < arguments.length; i++) {
      const child = arguments[i];
      if (child === null || child === undefined || child === false) continue;
      out.appendChild(typeof child === "object" ? child : document.createTextNode(String(child)));
    }
    return out;
  };

  /* Text from the data: kept apart from its surroundings whatever its writing direction. */
  gm.data = function (text, cls) {
    return gm.element("bdi", { class: cls ? "gm-data " + cls : "gm-data", dir: "auto" }, text);
  };

  /* How many of a list are of a kind. */
  gm.sum = function (list, is) { return list.reduce(function (n, one) { return n + (is(one) ? 1 : 0); }, 0); };

  gm.empty = function (node) { while (node.firstChild) node.removeChild(node.firstChild); };
})(window.gridmap = window.gridmap || {});
