/* Inflate: the inverse of deflate (RFC 1951), so that long columns travel small and any browser can read them at once. */
(function (gm) {
  "use strict";

  /* First length or distance of each code, and how many more bits it takes; RFC 1951, section 3.2.5. */
  const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
  const DISTANCE_BITS = [];
  for (let i = 0; i < 30; i++) DISTANCE_BITS.push(i < 4 ? 0 : (i >> 1) - 1);
  const LENGTHS = firsts(3, LENGTH_BITS), DISTANCES = firsts(1, DISTANCE_BITS);
  LENGTHS[28] = 258;
  /* In which order the lengths of the codes for code lengths come; section 3.2.7. */
  const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
  const LONGEST = 15;

  function firsts(start, bits) {
    const out = [];
    bits.forEach(function (more) { out.push(start); start += 1 << more; });
    return out;
  }

  /* Table from the next 15 bits to symbol * 16 + length of its code (section 3.2.2; codes come highest bit first). */
  function table(lengths) {
    const count = new Uint16Array(LONGEST + 1), next = new Uint16Array(LONGEST + 2);
    lengths.forEach(function (length) { if (length) count[length]++; });
    for (let length = 1; length <= LONGEST; length++) next[length + 1] = (next[length] + count[length]) << 1;
    const longest = Math.max.apply(null, lengths), out = new Uint16Array(1 << longest);
    lengths.forEach(function (length, symbol) {
      if (!length) return;
      let code = next[length]++, turned = 0;
      for (let i = 0; i < length; i++) { turned = turned << 1 | code & 1; code >>= 1; }
      for (let at = turned; at < out.length; at += 1 << length) out[at] = symbol << 4 | length;
    });
    out.mask = out.length - 1;
    return out;
  }

  function range(from, to, value) { return Array.from({ length: to - from }, function () { return value; }); }
  let fixed = null;

  gm.inflate = function (from, size) {
    const out = new Uint8Array(size);
    let at = 0, held = 0, bits = 0, to = 0;

    function fill(count) {
      while (bits < count) { held |= from[at++] << bits; bits += 8; }
    }
    function take(count) {
      fill(count);
      const value = held & (1 << count) - 1;
      held >>>= count;
      bits -= count;
      return value;
    }
    function symbol(codes) {
      while (bits < LONGEST && at < from.length) { held |= from[at++] << bits; bits += 8; }
      const found = codes[held & codes.mask], length = found & 15;
      held >>>= length;
      bits -= length;
      return found >> 4;
    }
    function codes() {
      const literals = take(5) + 257, distances = take(5) + 1, count = take(4) + 4, lengths = range(0, 19, 0);
      for (let i = 0; i < count; i++) lengths[ORDER[i]] = take(3);
      const code = table(lengths), all = [];
      while (all.length < literals + distances) {
        const s = symbol(code);
        if (s < 16) { all.push(s); continue; }
        const value = s === 16 ? all[all.length - 1] : 0, times = s === 16 ? 3 + take(2) : s === 17 ? 3 + take(3) : 11 + take(7);
        for (let i = 0; i < times; i++) all.push(value);
      }
      return [table(all.slice(0, literals)), table(all.slice(literals))];
    }
    function block(literal, distance) {
      for (;;) {
        const s = symbol(literal);
        if (s < 256) { out[to++] = s; continue; }
        if (s === 256) return;
        const length = LENGTHS[s - 257] + take(LENGTH_BITS[s - 257]), d = symbol(distance);
        const back = DISTANCES[d] + take(DISTANCE_BITS[d]);
        for (let i = 0; i < length; i++, to++) out[to] = out[to - back];
      }
    }
    function stored() {
      held = 0;
      at -= bits >> 3;             // whole bytes that were taken too early
      bits = 0;
      const length = from[at] + 256 * from[at + 1];
      out.set(from.subarray(at + 4, at + 4 + length), to);
      at += 4 + length;
      to += length;
    }

    for (let last = 0; !last;) {
      last = take(1);
      const kind = take(2);
      if (kind === 0) stored();
      else if (kind === 1) {
        fixed = fixed || [table(range(0, 144, 8).concat(range(144, 256, 9), range(256, 280, 7), range(280, 288, 8))), table(range(0, 30, 5))];
        block(fixed[0], fixed[1]);
      } else block.apply(null, codes());
    }
    return out;
  };
})(window.gridmap = window.gridmap || {});
