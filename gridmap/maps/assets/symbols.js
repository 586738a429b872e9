/* Symbols: glyphs of facilities on a 16 x 16 field, the same on the canvas and in the legend; swatches; patterns. */
(function (gm) {
  "use strict";

  const GLYPHS = {
    cross: "M6.2 2.5h3.6v3.7h3.7v3.6H9.8v3.7H6.2V9.8H2.5V6.2h3.7z",
    hospital: "M3.5 2.5h2.6v4h3.8v-4h2.6v11H9.9V9.2H6.1v4.3H3.5z",
    cap: "M8 3.2 1.2 6.2 8 9.2l5.3-2.3v3.6h1.2V6.2z M4.2 8.6v2.6c1.1.9 2.4 1.3 3.8 1.3s2.7-.4 3.8-1.3V8.6L8 10.3z",
    blocks: "M2.2 8.8h5.2V14H2.2z M8.6 8.8h5.2V14H8.6z M5.4 2.3h5.2v5.2H5.4z",
    basket: "M1.8 6.3h2.5l2-3.6 1.3.7-1.6 2.9h4L8.4 3.4l1.3-.7 2 3.6h2.5v1.6h-.8l-1 5.6H3.6l-1-5.6h-.8z",
    bag: "M5 5.2V4.8a3 3 0 0 1 6 0v.4h2.3l-.8 8.6H3.5L2.7 5.2z M6.4 5.2h3.2V4.8a1.6 1.6 0 0 0-3.2 0z",
    tree: "M8 1.4 3.8 6.8h1.7L2.7 10.7h4.5v3.7h1.6v-3.7h4.5l-2.8-3.9h1.7z",
    elder: "M6.5 1.4a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4z M4.7 5.5h2.8l1.5 2.6 2 .7V15H9.8V9.7L8 9.1l-.8-1.3-.4 2.3 1.5 1.7V15H6.8v-2.7L5 10.5 4.4 15H2.9l.8-5.4z",
    dumbbell: "M1.3 6.5h1.5V4.7h2.3v6.6H2.8V9.5H1.3z M14.7 6.5h-1.5V4.7h-2.3v6.6h2.3V9.5h1.5z M5.6 7.2h4.8v1.6H5.6z",
    pill: "M3.3 8.2 8.2 3.3a3.18 3.18 0 0 1 4.5 4.5l-4.9 4.9a3.18 3.18 0 0 1-4.5-4.5z M6.3 7l2.7 2.7 2.8-2.8a1.9 1.9 0 0 0-2.7-2.7z",
    book: "M1.8 3.3c2.2-.6 4.2-.4 5.6.6v9.4c-1.4-1-3.4-1.2-5.6-.6z M14.2 3.3c-2.2-.6-4.2-.4-5.6.6v9.4c1.4-1 3.4-1.2 5.6-.6z",
    swing: "M4.4 2.5h7.2L14.3 14h-1.6l-2-8.6V11H5.3V5.4l-2 8.6H1.7z M6.5 4.1v5.7h3V4.1z",
    shield: "M8 1.4 13.6 3.3v4.2c0 3.3-2.3 5.8-5.6 7.1-3.3-1.3-5.6-3.8-5.6-7.1V3.3z",
    hall: "M8 1.7 14.4 5v1.5H1.6V5z M3 7.5h1.9v4.3H3z M7.05 7.5h1.9v4.3h-1.9z M11.1 7.5H13v4.3h-1.9z M1.6 12.7h12.8v1.6H1.6z",
    fork: "M3.6 1.5h1v4h.8v-4h1v4h.8v-4h1v5a2 2 0 0 1-1.5 1.9v6.1H5.2V8.4A2 2 0 0 1 3.6 6.5z M10.9 1.5c1.4.7 2.1 2.2 2.1 4.3 0 1.8-.4 2.8-1.1 3.1v5.6h-1.5V1.9z",
    mail: "M1.5 3.5h13v1.1L8 9 1.5 4.6z M1.5 6.3 8 10.7l6.5-4.4v6.2h-13z",
    bus: "M3.5 1.9h9c.8 0 1.5.7 1.5 1.5v8.8h-1.2V14h-1.9v-1.8H5.1V14H3.2v-1.8H2V3.4c0-.8.7-1.5 1.5-1.5z M3.6 4v3.6h8.8V4z M4 9.2v1.4h1.8V9.2z M10.2 9.2v1.4H12V9.2z",
    rail: "M4.5 1.7h7c1 0 1.7.8 1.7 1.7v6.3c0 .9-.8 1.7-1.7 1.7l1.7 2.8h-1.8l-1-1.7H5.6l-1 1.7H2.8l1.7-2.8c-1 0-1.7-.8-1.7-1.7V3.4c0-.9.8-1.7 1.7-1.7z M4.4 3.7v3h7.2v-3z M7.2 8.2v1.5h1.6V8.2z",
    coin: "M8 1.5 14.5 8 8 14.5 1.5 8z M8 4.4 4.4 8 8 11.6 11.6 8z",
    shop: "M2.6 2h10.8l1.8 4.3H.8z M2.2 7.3h11.6V14H12V9.3H8.6V14H2.2z M4 9.3v2.4h3V9.3z",
    box: "M8 1.2 14.2 4 8 6.8 1.8 4z M1.6 5.3l5.7 2.6v6.7L1.6 12z M14.4 5.3 8.7 7.9v6.7l5.7-2.6z",
    note: "M6 2.9 13.6 1.4v9.2a2.3 2.1 0 1 1-1.7-2V5L7.7 5.9v6.6a2.3 2.1 0 1 1-1.7-2z",
    drop: "M8 1.5c2.5 3.3 4.3 5.7 4.3 8.2a4.3 4.3 0 0 1-8.6 0C3.7 7.2 5.5 4.8 8 1.5z"
  };
  /* The frame of a site that was chosen. */
  const CHOSEN = "#111d24";
  const SVG = "http://www.w3.org/2000/svg";
  const paths = {};

  function svg(tag, options) {
    const out = document.createElementNS(SVG, tag);
    for (const name in options) out.setAttribute(name, options[name]);
    return out;
  }

  gm.GLYPHS = GLYPHS;

  /* A badge with the glyph of a category, its middle at x, y. */
  gm.drawBadge = function (context, category, x, y, size, stage) {
    const planned = stage === 1 || stage === 2;
    const half = size / 2, round = size * 0.28;
    context.beginPath();
    context.moveTo(x - half + round, y - half);
    context.arcTo(x + half, y - half, x + half, y + half, round);
    context.arcTo(x + half, y + half, x - half, y + half, round);
    context.arcTo(x - half, y + half, x - half, y - half, round);
    context.arcTo(x - half, y - half, x + half, y - half, round);
    context.closePath();
    context.fillStyle = planned ? "#fff" : category.colour;
    context.fill();
    context.lineWidth = stage === 3 ? 3 : 1.5;
    context.strokeStyle = planned ? category.colour : stage === 3 ? CHOSEN : "#fff";
    context.setLineDash(stage === 2 ? [2.5, 2] : []);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = planned ? category.colour : "#fff";
    if (GLYPHS[category.glyph]) {
      const path = paths[category.glyph] || (paths[category.glyph] = new Path2D(GLYPHS[category.glyph]));
      const scale = size * 0.72 / 16;
      context.save();
      context.translate(x - 8 * scale, y - 8 * scale);
      context.scale(scale, scale);
      context.fill(path, "evenodd");
      context.restore();
    } else {
      context.font = "600 " + Math.round(size * 0.62) + "px " + gm.FONT;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(category.glyph.slice(7), x, y + 0.5);
    }
  };

  gm.badge = function (category, size) {
    const out = svg("svg", { viewBox: "0 0 16 16", width: size, height: size, class: "gm-badge", "aria-hidden": "true" });
    out.appendChild(svg("rect", { x: 0, y: 0, width: 16, height: 16, rx: 4.5, fill: category.colour }));
    if (GLYPHS[category.glyph]) {
      out.appendChild(svg("path", {
        d: GLYPHS[category.glyph], fill: "#fff", "fill-rule": "evenodd", transform: "translate(2.2 2.2) scale(.725)"
      }));
    } else {
      const letter = svg("text", { x: 8, y: 11.6, fill: "#fff", "font-size": 10, "font-weight": 600, "text-anchor": "middle" });
      letter.textContent = category.glyph.slice(7);
      out.appendChild(letter);
    }
    return out;
  };

  /* A swatch of the legend: {fill, stroke, width, dash, pattern, shape: "area" | "line" | "dot" | "square"} */
  gm.swatch = function (style) {
    const out = svg("svg", { viewBox: "0 0 24 14", width: 24, height: 14, class: "gm-swatch", "aria-hidden": "true" });
    const stroke = { stroke: style.stroke || "none", "stroke-width": style.width || 1 };
    if (style.dash) stroke["stroke-dasharray"] = style.dash;
    if (style.shape === "line") {
      if (style.casing) out.appendChild(svg("path", { d: "M1 7H23", fill: "none", stroke: style.casing, "stroke-width": (style.width || 1) + 2 }));
      out.appendChild(svg("path", Object.assign({ d: "M1 7H23", fill: "none" }, stroke)));
    } else if (style.shape === "dot") {
      out.appendChild(svg("circle", Object.assign({ cx: 12, cy: 7, r: style.radius || 4, fill: style.fill || "none" }, stroke)));
    } else {
      const small = style.shape === "square";
      const field = small ? { x: 7, y: 2, width: 10, height: 10 } : { x: 1, y: 1, width: 22, height: 12, rx: 1.5 };
      out.appendChild(svg("rect", Object.assign({ fill: style.fill || "none", "fill-opacity": style.opacity || 1 }, field, stroke)));
      if (style.pattern === "hatch") out.appendChild(svg("path", { d: "M4 13 14 1M11 13 21 1", stroke: "#8d7da6", "stroke-width": 1, fill: "none" }));
      if (style.pattern === "dots") out.appendChild(svg("path", { d: "M6 4.5h.01M12 4.5h.01M18 4.5h.01M9 9.5h.01M15 9.5h.01", stroke: "#a39c8e", "stroke-width": 1.6, "stroke-linecap": "round", fill: "none" }));
    }
    return out;
  };

  /* Fills that do not rest on colour alone. */
  gm.pattern = function (context, kind, fill) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const on = tile.getContext("2d");
    on.fillStyle = fill;
    on.fillRect(0, 0, 8, 8);
    if (kind === "hatch") {
      on.strokeStyle = "#8d7da6";
      on.lineWidth = 0.9;
      on.beginPath();
      for (let i = -8; i <= 8; i += 8) { on.moveTo(i, 8); on.lineTo(i + 8, 0); }
      on.stroke();
    } else {
      on.fillStyle = "#a39c8e";
      on.fillRect(1, 1, 1.3, 1.3);
      on.fillRect(5, 5, 1.3, 1.3);
    }
    return context.createPattern(tile, "repeat");
  };
})(window.gridmap = window.gridmap || {});
