/**
 * Markdown as a tree and as elements. A text comes from a model, so nothing of it is ever parsed as
 * HTML, a link leads only to http and https, and its nesting and its cost are bounded.
 */

const MAX_DEPTH = 8;
const LIST = /^( *)([-*+]|\d{1,9}[.)]) +(?=\S)/;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
/** The address of a link, with brackets in pairs, and a title that is left out. */
const TARGET = /^\s*([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+"[^"]*")?\s*\)/;
const WORD = /[\p{L}\p{N}_]/u;

/** The address of a link if a click on it is harmless. */
export function safeLink(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** The blocks of a text. */
export function parse(text) {
  return blocks(text.replace(/\r\n?/g, "\n").replaceAll("\t", "    ").split("\n"), 0);
}

function blocks(lines, depth) {
  const out = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at];
    const text = line.trim();
    if (!text) {
      at += 1;
    } else if (/^(`{3,}|~{3,})/.test(text)) {
      const fence = text.match(/^(`+|~+)/)[0];
      let end = at + 1;
      while (end < lines.length && !(lines[end].trim().startsWith(fence) && /^[`~]+$/.test(lines[end].trim()))) end += 1;
      out.push({ type: "code", language: text.slice(fence.length).trim().split(" ")[0], text: lines.slice(at + 1, end).join("\n") });
      at = end + 1;
    } else if (/^#{1,6} /.test(text)) {
      const level = text.indexOf(" ");
      out.push({ type: "heading", level, children: inline(text.slice(level).trim(), 0) });
      at += 1;
    } else if (isRule(text)) {
      out.push({ type: "rule" });
      at += 1;
    } else if (text.startsWith(">") && depth < MAX_DEPTH) {
      let end = at;
      while (end < lines.length && lines[end].trim().startsWith(">")) end += 1;
      out.push({ type: "quote", children: blocks(lines.slice(at, end).map((quoted) => quoted.trim().slice(1).replace(/^ /, "")), depth + 1) });
      at = end;
    } else if (LIST.test(line) && depth < MAX_DEPTH) {
      at = list(lines, at, depth, out);
    } else if (text.includes("|") && isDelimiter(lines[at + 1])) {
      at = table(lines, at, out);
    } else {
      let end = at + 1;
      while (end < lines.length && continues(lines, end, depth)) end += 1;
      out.push({ type: "paragraph", children: inline(lines.slice(at, end).map((part) => part.trim()).join("\n"), 0) });
      at = end;
    }
  }
  return out;
}

function isRule(text) {
  const bare = text.replaceAll(" ", "");
  return bare.length > 2 && "-*_".includes(bare[0]) && [...bare].every((letter) => letter === bare[0]);
}

function isDelimiter(line) {
  return line !== undefined && /^[ |:-]+$/.test(line) && line.includes("-") && line.includes("|");
}

/** Whether a line goes on with the paragraph before it. */
function continues(lines, at, depth) {
  const text = lines[at].trim();
  if (!text || /^(#{1,6} |`{3}|~{3})/.test(text) || isRule(text)) return false;
  if (depth < MAX_DEPTH && (text.startsWith(">") || LIST.test(lines[at]))) return false;
  return !(text.includes("|") && isDelimiter(lines[at + 1]));
}

function list(lines, start, depth, out) {
  const first = lines[start].match(LIST);
  const indent = first[1].length;
  const ordered = /\d/.test(first[2]);
  const items = [];
  let at = start;
  for (let found; at < lines.length && (found = lines[at].match(LIST)); ) {
    if (found[1].length !== indent || /\d/.test(found[2]) !== ordered) break;
    const own = [lines[at].slice(found[0].length)];
    for (at += 1; at < lines.length; at += 1) {
      const line = lines[at];
      const inner = line.length - line.trimStart().length;
      if (line.trim() ? inner <= indent && (LIST.test(line) || !lines[at - 1].trim() || !continues(lines, at, depth)) : !lines[at + 1]?.startsWith(" ".repeat(indent + 1))) break;
      own.push(line.slice(Math.min(inner, found[0].length)));
    }
    items.push(blocks(own, depth + 1));
    while (at < lines.length && !lines[at].trim() && LIST.test(lines[at + 1] ?? "")) at += 1;
  }
  out.push({ type: "list", ordered, start: ordered ? Number.parseInt(first[2], 10) : 1, items });
  return at;
}

function table(lines, start, out) {
  const head = cells(lines[start]);
  const aligns = cells(lines[start + 1]).map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "left"));
  const rows = [];
  let at = start + 2;
  for (; at < lines.length && lines[at].includes("|"); at += 1) {
    const row = cells(lines[at]);
    rows.push(head.map((_, column) => inline(row[column] ?? "", 0)));
  }
  out.push({ type: "table", head: head.map((cell) => inline(cell, 0)), aligns, rows });
  return at;
}

function cells(line) {
  const text = line.trim();
  const bare = text.slice(text.startsWith("|") ? 1 : 0, text.endsWith("|") ? -1 : undefined);
  return bare.split("|").map((cell) => cell.trim());
}

/** The parts of a line: texts and marked parts. */
export function inline(text, depth) {
  const out = [];
  // What has no end behind one place has none behind a later one: the cost stays linear.
  const absent = new Set();
  let plain = "";
  const add = (part) => {
    if (plain) out.push({ type: "text", text: plain });
    plain = "";
    out.push(part);
  };
  const end = (mark, from) => {
    if (absent.has(mark)) return -1;
    const found = text.indexOf(mark, from);
    if (found < 0) absent.add(mark);
    return found;
  };
  for (let at = 0; at < text.length; ) {
    const letter = text[at];
    const next = text[at + 1] ?? "";
    if (letter === "\\" && PUNCTUATION.test(next)) {
      plain += next;
      at += 2;
      continue;
    }
    if (letter === "`") {
      let size = 1;
      while (text[at + size] === "`") size += 1;
      const ticks = "`".repeat(size);
      const close = size < 9 ? end(ticks, at + size) : -1;
      if (close > 0) {
        add({ type: "codespan", text: text.slice(at + size, close).trim() });
        at = close + size;
      } else {
        plain += ticks;
        at += size;
      }
      continue;
    }
    if ("*_~".includes(letter) && depth < MAX_DEPTH) {
      const mark = next === letter ? letter + letter : letter;
      const from = at + mark.length;
      const opens = text[from] && !/\s/.test(text[from]) && (letter !== "_" || !WORD.test(text[at - 1] ?? "")) && mark !== "~";
      const close = opens ? end(mark, from + 1) : -1;
      if (close > 0 && !/\s/.test(text[close - 1]) && (letter !== "_" || !WORD.test(text[close + mark.length] ?? ""))) {
        const type = letter === "~" ? "del" : mark.length === 2 ? "strong" : "em";
        add({ type, children: inline(text.slice(from, close), depth + 1) });
        at = close + mark.length;
      } else {
        plain += mark;
        at = from;
      }
      continue;
    }
    if (letter === "[" && depth < MAX_DEPTH) {
      const middle = end("](", at);
      const target = middle > 0 && middle - at < 1000 ? TARGET.exec(text.slice(middle + 2, middle + 2000)) : null;
      if (target) {
        const children = inline(text.slice(at + 1, middle), MAX_DEPTH - 1);
        add({ type: "link", href: safeLink(target[1]), children });
        at = middle + 2 + target[0].length;
        continue;
      }
    }
    if (letter === "h" && /^https?:\/\//.test(text.slice(at, at + 8)) && !WORD.test(text[at - 1] ?? "")) {
      const address = text.slice(at, at + 2000).match(/^[^\s<>"'`)\]]+/)[0].replace(/[.,;:!?]{1,9}$/, "");
      const href = safeLink(address);
      if (href) {
        add({ type: "link", href, children: [{ type: "text", text: address }] });
        at += address.length;
        continue;
      }
    }
    plain += letter;
    at += 1;
  }
  if (plain) out.push({ type: "text", text: plain });
  return out;
}

/** The elements of a text, made by `h`. A heading of a message stands below those of the page. */
export function draw(text, h) {
  let rank = 0;
  const parts = (list) => list.map((part) => {
    if (part.type === "text") return part.text.split("\n").flatMap((line, at) => (at ? [h("br"), line] : [line]));
    if (part.type === "codespan") return h("code", null, part.text);
    if (part.type === "link") {
      return part.href ? h("a", { href: part.href, rel: "noopener noreferrer", target: "_blank" }, parts(part.children)) : h("span", null, parts(part.children));
    }
    return h(part.type, null, parts(part.children));
  });
  const block = (node) => {
    switch (node.type) {
      case "code":
        return h("pre", { tabIndex: 0, role: "group", "aria-label": node.language ? `Code, ${node.language}` : "Code" }, h("code", null, node.text));
      case "heading":
        // No level is skipped, as screen readers' users go by them.
        rank = Math.min(node.level, rank + 1);
        return h(`h${Math.min(6, rank + 2)}`, null, parts(node.children));
      case "rule":
        return h("hr");
      case "quote":
        return h("blockquote", null, node.children.map(block));
      case "list":
        return h(node.ordered ? "ol" : "ul", node.ordered && node.start !== 1 ? { start: node.start } : null, node.items.map((item) => h("li", null, item.map((child) => (item.length === 1 && child.type === "paragraph" ? parts(child.children) : block(child))))));
      case "table":
        return h("div", { className: "scroll", tabIndex: 0, role: "group", "aria-label": "Table" }, h("table", null, row(node.head, "th", node.aligns, "thead"), h("tbody", null, node.rows.map((cells) => row(cells, "td", node.aligns)))));
      default:
        return h("p", null, parts(node.children));
    }
  };
  const row = (cells, tag, aligns, around) => {
    const tr = h("tr", null, cells.map((cell, at) => h(tag, { className: aligns[at] ?? "left", scope: tag === "th" ? "col" : null }, parts(cell))));
    return around ? h(around, null, tr) : tr;
  };
  return parse(text).map(block);
}
