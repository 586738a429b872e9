/* Decode: shapes and columns from text. Coordinates come out as world pixels of zoom 0 (web mercator, 256 wide). */
(function (gm) {
  "use strict";

  const DEFLATED = "~";

  function bytes(text) {
    const deflated = text[0] === DEFLATED, raw = atob(deflated ? text.slice(1) : text);
    const out = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
    if (!deflated) return out;
    return gm.inflate(out.subarray(4), out[0] + out[1] * 256 + out[2] * 65536 + out[3] * 16777216);
  }

  /* Long lists and texts as they were before Python deflated them; see encode.squeeze. */
  gm.unsqueeze = function (value) {
    if (!value || typeof value !== "object") return value;
    if (typeof value.z === "string") return JSON.parse(new TextDecoder().decode(bytes(value.z)));
    if (!Array.isArray(value) || typeof value[0] === "object") for (const key in value) value[key] = gm.unsqueeze(value[key]);
    return value;
  };

  /* Whole numbers, 0 or more, seven bits a byte, lowest first. */
  function varints(text) {
    const from = bytes(text || "");
    let count = 0;
    for (let i = 0; i < from.length; i++) if (from[i] < 128) count++;
    const out = new Float64Array(count);
    let value = 0, scale = 1, at = 0;
    for (let i = 0; i < from.length; i++) {
      value += (from[i] & 127) * scale;
      if (from[i] < 128) { out[at++] = value; value = 0; scale = 1; } else scale *= 128;
    }
    return out;
  }

  /* Whole numbers told by what changes from one to the next. */
  function changes(text) {
    const out = varints(text);
    let value = 0;
    for (let i = 0; i < out.length; i++) {
      value += out[i] % 2 ? -(out[i] + 1) / 2 : out[i] / 2;
      out[i] = value;
    }
    return out;
  }

  /* Reach of every building: the lowest bit, "not covered", goes back to the front. */
  gm.reach = function (text) {
    const turned = changes(text), out = new Uint16Array(turned.length);
    for (let i = 0; i < out.length; i++) out[i] = (turned[i] >> 1) | ((turned[i] & 1) << 15);
    return out;
  };

  function starts(sizes) {
    const out = new Uint32Array(sizes.length + 1);
    for (let i = 0; i < sizes.length; i++) out[i + 1] = out[i] + sizes[i];
    return out;
  }

  gm.worldX = function (lon) { return (lon + 180) / 360 * 256; };
  gm.worldY = function (lat) {
    const sine = Math.sin(lat * Math.PI / 180);
    return 256 * (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI));
  };

  /* frame: lon0, lat0, degrees of one step east and north */
  gm.shapes = function (layer, frame) {
    const ringStart = starts(varints(layer.rings));
    const pointStart = starts(varints(layer.sizes));
    const delta = varints(layer.xy);
    const count = delta.length / 2;
    const x = new Float64Array(count), y = new Float64Array(count);
    let gx = 0, gy = 0;
    for (let i = 0; i < count; i++) {
      const a = delta[2 * i], b = delta[2 * i + 1];
      gx += a % 2 ? -(a + 1) / 2 : a / 2;
      gy += b % 2 ? -(b + 1) / 2 : b / 2;
      x[i] = gm.worldX(frame[0] + gx * frame[2]);
      y[i] = gm.worldY(frame[1] + gy * frame[3]);
    }
    const box = new Float64Array(4 * layer.n);
    for (let f = 0; f < layer.n; f++) {
      let west = Infinity, north = Infinity, east = -Infinity, south = -Infinity;
      for (let i = pointStart[ringStart[f]]; i < pointStart[ringStart[f + 1]]; i++) {
        if (x[i] < west) west = x[i];
        if (x[i] > east) east = x[i];
        if (y[i] < north) north = y[i];
        if (y[i] > south) south = y[i];
      }
      box[4 * f] = west; box[4 * f + 1] = north; box[4 * f + 2] = east; box[4 * f + 3] = south;
    }
    const kind = layer.shape;
    return {
      n: layer.n, ringStart: ringStart, pointStart: pointStart, x: x, y: y, box: box,
      kindOf: typeof kind === "string" ? function (f) { return +kind[f]; } : function () { return kind; }
    };
  };

  /* Differences of either sign. */
  gm.signed = function (text) {
    return varints(text).map(function (d) { return d % 2 ? -(d + 1) / 2 : d / 2; });
  };

  /* Places in whole steps of the page. */
  gm.places = function (text) {
    const delta = gm.signed(text), n = delta.length / 2, x = new Float64Array(n), y = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      x[i] = delta[2 * i] + (i ? x[i - 1] : 0);
      y[i] = delta[2 * i + 1] + (i ? y[i - 1] : 0);
    }
    return { x: x, y: y };
  };

  gm.starts = starts;
  gm.bytes = bytes;
  gm.varints = varints;
  gm.changes = changes;

  /* A column of repeated texts: row -> text, "" where there is none. */
  gm.coded = function (column) {
    if (!column || !column.of.length) return function () { return ""; };
    const code = varints(column.code);
    return function (row) { return code[row] ? column.of[code[row] - 1] : ""; };
  };
})(window.gridmap = window.gridmap || {});
