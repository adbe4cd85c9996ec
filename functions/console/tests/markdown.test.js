/** Markdown of a model: what is drawn, and what hostile text cannot do. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { draw, inline, parse, safeLink } from "../assets/markdown.js";

/** Elements as plain objects. */
const h = (tag, props, ...children) => ({ tag, ...props, children: children.flat(Infinity) });
const drawn = (text) => draw(text, h);
/** All tags in a tree, and all its text. */
const tags = (nodes) => [nodes].flat(Infinity).flatMap((node) => (node?.tag ? [node.tag, ...tags(node.children)] : []));
const text = (nodes) => [nodes].flat(Infinity).map((node) => (node?.tag ? text(node.children) : (node ?? ""))).join("");
const types = (source) => parse(source).map((block) => block.type);

test("blocks are told apart", () => {
  const source = "# Head\n\nText\ngoes on\n\n- a\n- b\n\n1. c\n\n> quoted\n\n```js\ncode()\n```\n\n---\n\n| a | b |\n|---|--:|\n| 1 | 2 |";
  assert.deepEqual(types(source), ["heading", "paragraph", "list", "list", "quote", "code", "rule", "table"]);
});

test("a list keeps its nesting, its start and its paragraphs", () => {
  const [list] = parse("3. three\n   - inner\n\n   more\n4. four");
  assert.deepEqual([list.ordered, list.start, list.items.length], [true, 3, 2]);
  assert.deepEqual(list.items[0].map((block) => block.type), ["paragraph", "list", "paragraph"]);
  assert.deepEqual(tags(drawn("- a\n  - b\n    - c")), ["ul", "li", "p", "ul", "li", "p", "ul", "li"]);
});

test("a table has the columns of its head", () => {
  const [table] = parse("| a | b |\n|:-:|--:|\n| 1 |\n| 1 | 2 | 3 |");
  assert.deepEqual(table.aligns, ["center", "right"]);
  assert.deepEqual(table.rows.map((row) => row.length), [2, 2]);
});

test("a block of code stays as it was, even without an end", () => {
  const [code] = parse("```python\n<b>*not* `bold`</b>\n  indented");
  assert.deepEqual(code, { type: "code", language: "python", text: "<b>*not* `bold`</b>\n  indented" });
});

test("marks become elements and words with marks in them do not", () => {
  assert.deepEqual(tags(drawn("**a** *b* ~~c~~ `d` __e__ _f_")), ["p", "strong", "em", "del", "code", "strong", "em"]);
  for (const plain of ["snake_case_name", "2 * 3 * 4", "a ** b", "~5 %", "\\*a\\*", "**open", "[a] (b)"]) {
    assert.deepEqual(tags(drawn(plain)), ["p"], plain);
  }
});

test("a heading of a message stands below those of the page, and none is skipped", () => {
  assert.deepEqual(tags(drawn("## a\n\n###### b\n\n# c")), ["h3", "h4", "h3"]);
});

test("HTML and scripts are text", () => {
  const hostile = "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n- <iframe srcdoc='<p>'>\n\n| <svg onload=alert(1)> |\n|---|\n| <a href=javascript:x> |";
  const known = ["p", "ul", "li", "div", "table", "thead", "tr", "th", "tbody", "td"];
  assert.deepEqual(tags(drawn(hostile)).filter((tag) => !known.includes(tag)), []);
  assert.ok(text(drawn(hostile)).includes("<script>alert(1)</script>"));
  assert.ok(text(drawn(hostile)).includes("<svg onload=alert(1)>"));
});

test("a link leads to http and https alone", () => {
  assert.equal(safeLink("https://a.example/b?c#d"), "https://a.example/b?c#d");
  for (const address of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "//a.example", "/a", "a", "", "https://"]) {
    assert.equal(safeLink(address), null, address);
  }
  const linked = (source) => drawn(source)[0].children.filter((part) => part.tag === "a");
  for (const source of ["[a](javascript:alert(1))", "[a](JAVASCRIPT:alert(1))", "[a](data:text/html;base64,x)", "[a](/relative)", "javascript:alert(1)"]) {
    assert.deepEqual(linked(source), [], source);
  }
  const [link] = linked("[see **a**](https://a.example/x_(y) \"title\")");
  assert.deepEqual([link.href, link.rel, link.target], ["https://a.example/x_(y)", "noopener noreferrer", "_blank"]);
  assert.equal(linked("https://a.example/b.")[0].href, "https://a.example/b");
});

test("nesting is bounded and nothing of the text is lost", () => {
  for (const source of [`${">".repeat(5000)} deep`, `${"- ".repeat(2000)}deep`, `${"*a ".repeat(300)}deep${" a*".repeat(300)}`, `${"[".repeat(5000)}deep`, Array.from({ length: 400 }, (_, at) => `${" ".repeat(at * 2)}- deep`).join("\n")]) {
    const tree = drawn(source);
    assert.ok(text(tree).includes("deep"));
    const depth = (nodes) => Math.max(0, ...[nodes].flat(Infinity).map((node) => (node?.tag ? 1 + depth(node.children) : 0)));
    assert.ok(depth(tree) < 40, `${depth(tree)}: ${source.slice(0, 20)}`);
  }
});

test("a text of 32 KiB is drawn at once, whatever it holds", () => {
  for (const piece of ["*", "_", "`", "``a", "[", "[a](", "**a ", "~~", ">", "- ", "|", "|-", "\\", "h", "http://", "#", "# ", "(", "a*b_c`", "\n> ", "\n- ", "\n  - ", "1. ", "![", "```\n"]) {
    const source = piece.repeat(Math.ceil(32768 / piece.length));
    const begun = performance.now();
    drawn(source);
    const took = performance.now() - begun;
    assert.ok(took < 400, `${JSON.stringify(piece)} took ${took} ms`);
  }
});

test("an empty text is nothing", () => {
  assert.deepEqual(drawn(""), []);
  assert.deepEqual(inline("", 0), []);
});
