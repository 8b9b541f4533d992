#include "cli/report_page.h"

#include <stddef.h>

/* clang-format off: pages, not C */

const char ew_report_style[] =
    "<style>\n"
    ":root { color-scheme: light; }\n"
    "body { font: 16px/1.45 system-ui, \"DejaVu Sans\", sans-serif; margin: 0 auto; max-width: "
    "75rem; padding: 0 1rem 3rem; color: #222; }\n"
    "h1 { font-size: 1.5rem; margin: 1rem 0 .3rem; overflow-wrap: anywhere; } h2 { font-size: "
    "1.15rem; margin: 2rem 0 .4rem; }\n"
    "p { margin: .3rem 0; } .note { color: #555; font-size: .9rem; }\n"
    ".wide { overflow-x: auto; border: 1px solid #ddd; border-radius: 4px; }\n"
    "figure { margin: 1rem 0; } figure svg { display: block; height: auto; max-width: 100%; "
    "min-width: 40rem; }\n"
    "table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }\n"
    "th, td { padding: .3rem .6rem; border-bottom: 1px solid #e4e4e4; text-align: right; "
    "white-space: nowrap; }\n"
    "td.text, th.text { text-align: left; } td.text { max-width: 22rem; overflow: hidden; "
    "text-overflow: ellipsis; }\n"
    "th { background: #f4f4f4; position: sticky; top: 0; padding: 0; }\n"
    "th button { font: inherit; font-weight: 600; border: 0; background: none; padding: .45rem "
    ".6rem; cursor: pointer; width: 100%; text-align: inherit; }\n"
    "th button:focus-visible { outline: 2px solid #0072b2; outline-offset: -2px; }\n"
    "tr.failed td { color: #a33; }\n"
    ".filters { display: flex; flex-wrap: wrap; gap: .5rem .8rem; margin: .6rem 0; }\n"
    ".filters label { font-size: .85rem; color: #444; display: flex; flex-direction: column; "
    "max-width: 100%; }\n"
    ".filters select, .filters input, .more { font: inherit; padding: .3rem; max-width: 16rem; }\n"
    "#self { white-space: pre-wrap; }\n"
    "</style>\n";

/* Texts reach the page as textContent only, so nothing in a name can become markup. */
const char *const ew_report_script[] = {
    "\"use strict\";\n",
    "(function () {\n",
    "  var errors = [];\n",
    "  window.addEventListener(\"error\", function (e) { errors.push(String(e.message)); });\n",
    "  var data = JSON.parse(document.getElementById(\"data\").textContent);\n",
    "  var columns = data.columns, rows = data.rows, STEP = 200;\n",
    "  var isNumber = columns.map(function (_, c) {\n",
    "    return rows.some(function (r) { return typeof r[c] === \"number\"; }) &&\n",
    "           rows.every(function (r) { return r[c] === null || typeof r[c] === \"number\"; });\n",
    "  });\n",
    "  var status = columns.indexOf(\"status\");\n",
    "  var order = null, down = false, shown = STEP, choices = {}, words = \"\";\n",
    "  var head = document.getElementById(\"head\"), body = document.getElementById(\"body\");\n",
    "  var count = document.getElementById(\"count\"), more = document.getElementById(\"more\");\n",
    "  function text(x) {\n",
    "    if (x === null) { return \"\"; }\n",
    "    if (typeof x !== \"number\") { return x; }\n",
    "    return Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(5)));\n",
    "  }\n",
    "  function compare(a, b) {\n",
    "    var x = a[order], y = b[order];\n",
    "    if (x === null || y === null) { return (x === null) - (y === null); } /* empty ones last "
    "*/\n",
    "    var by = isNumber[order] ? x - y : String(x) < String(y) ? -1 : String(x) > String(y) ? 1 "
    ": 0;\n",
    "    return down ? -by : by;\n",
    "  }\n",
    "  function matching() {\n",
    "    var list = rows.filter(function (r) {\n",
    "      for (var c in choices) { if (choices[c] !== \"\" && text(r[c]) !== choices[c]) { return "
    "false; } }\n",
    "      return words === \"\" || r.some(function (x) { return "
    "text(x).toLowerCase().indexOf(words) >= 0; });\n",
    "    });\n",
    "    if (order !== null) { /* a stable sort keeps the order of points */\n",
    "      list = list.map(function (r, i) { return [r, i]; });\n",
    "      list.sort(function (a, b) { return compare(a[0], b[0]) || a[1] - b[1]; });\n",
    "      list = list.map(function (p) { return p[0]; });\n",
    "    }\n",
    "    return list;\n",
    "  }\n",
    "  function draw() {\n",
    "    var list = matching();\n",
    "    body.textContent = \"\";\n",
    "    list.slice(0, shown).forEach(function (r) {\n",
    "      var tr = document.createElement(\"tr\");\n",
    "      if (status >= 0 && r[status] !== \"ok\") { tr.className = \"failed\"; }\n",
    "      r.forEach(function (x, c) {\n",
    "        var td = document.createElement(\"td\");\n",
    "        td.textContent = text(x);\n",
    "        if (!isNumber[c]) { td.className = \"text\"; td.title = text(x); }\n",
    "        tr.appendChild(td);\n",
    "      });\n",
    "      body.appendChild(tr);\n",
    "    });\n",
    "    count.textContent = list.length + \" of \" + rows.length + \" points\" +\n",
    "      (list.length > shown ? \", the first \" + shown + \" shown\" : \"\");\n",
    "    more.hidden = list.length <= shown;\n",
    "    Array.prototype.forEach.call(head.children, function (th, c) {\n",
    "      th.setAttribute(\"aria-sort\", c !== order ? \"none\" : down ? \"descending\" : "
    "\"ascending\");\n",
    "      th.firstChild.textContent = columns[c] + (c !== order ? \"\" : down ? \" ▼\" : \" "
    "▲\");\n",
    "    });\n",
    "  }\n",
    "  columns.forEach(function (name, c) {\n",
    "    var th = document.createElement(\"th\"), button = document.createElement(\"button\");\n",
    "    th.scope = \"col\";\n",
    "    if (!isNumber[c]) { th.className = \"text\"; }\n",
    "    button.addEventListener(\"click\", function () {\n",
    "      down = order === c && !down;\n",
    "      order = c;\n",
    "      draw();\n",
    "    });\n",
    "    th.appendChild(button);\n",
    "    head.appendChild(th);\n",
    "  });\n",
    "  var filters = document.getElementById(\"filters\");\n",
    "  data.filters.forEach(function (name) {\n",
    "    var c = columns.indexOf(name), seen = [];\n",
    "    rows.forEach(function (r) { var t = text(r[c]); if (seen.indexOf(t) < 0 && seen.length < "
    "201) { seen.push(t); } });\n",
    "    if (seen.length < 2 || seen.length > 200) { return; }\n",
    "    var label = document.createElement(\"label\"), select = "
    "document.createElement(\"select\");\n",
    "    label.textContent = name;\n",
    "    [\"\"].concat(seen).forEach(function (t, i) {\n",
    "      var option = document.createElement(\"option\");\n",
    "      option.value = i === 0 ? \"\" : t;\n",
    "      option.textContent = i === 0 ? \"all\" : t;\n",
    "      select.appendChild(option);\n",
    "    });\n",
    "    select.dataset.column = name;\n",
    "    select.addEventListener(\"change\", function () { choices[c] = select.value; shown = "
    "STEP; draw(); });\n",
    "    label.appendChild(select);\n",
    "    filters.appendChild(label);\n",
    "  });\n",
    "  var search = document.createElement(\"input\"), searchLabel = "
    "document.createElement(\"label\");\n",
    "  searchLabel.textContent = \"search\";\n",
    "  search.type = \"search\";\n",
    "  search.addEventListener(\"input\", function () { words = search.value.toLowerCase(); shown "
    "= STEP; draw(); });\n",
    "  searchLabel.appendChild(search);\n",
    "  filters.appendChild(searchLabel);\n",
    "  more.addEventListener(\"click\", function () { shown += STEP * 5; draw(); });\n",
    "  draw();\n",
    "  /* With #self-check the page tries its own controls and writes down what happened: for "
    "tests. */\n",
    "  if (location.hash === \"#self-check\") {\n",
    "    var result = { columns: columns.length, rows: rows.length, drawn: body.children.length, "
    "sorted: {}, filtered: {} };\n",
    "    columns.forEach(function (name, c) {\n",
    "      [\"up\", \"down\"].forEach(function (way) {\n",
    "        head.children[c].firstChild.click();\n",
    "        var list = matching(), good = true;\n",
    "        for (var i = 1; i < list.length; i++) {\n",
    "          var x = list[i - 1][c], y = list[i][c];\n",
    "          if (x === null ? y !== null : y !== null && (way === \"up\" ? x > y : x < y)) { "
    "good = false; }\n",
    "        }\n",
    "        result.sorted[name + \" \" + way] = good && body.children.length === "
    "Math.min(list.length, shown);\n",
    "      });\n",
    "    });\n",
    "    Array.prototype.forEach.call(filters.querySelectorAll(\"select\"), function (select) {\n",
    "      var sum = 0;\n",
    "      for (var i = 1; i < select.options.length; i++) {\n",
    "        select.selectedIndex = i;\n",
    "        select.dispatchEvent(new Event(\"change\"));\n",
    "        sum += matching().length;\n",
    "      }\n",
    "      select.selectedIndex = 0;\n",
    "      select.dispatchEvent(new Event(\"change\"));\n",
    "      result.filtered[select.dataset.column] = sum === rows.length;\n",
    "    });\n",
    "    search.value = \"no such text anywhere\";\n",
    "    search.dispatchEvent(new Event(\"input\"));\n",
    "    result.search = body.children.length === 0;\n",
    "    search.value = \"\";\n",
    "    search.dispatchEvent(new Event(\"input\"));\n",
    "    result.figures = document.querySelectorAll(\"figure svg\").length;\n",
    "    result.page_width = document.documentElement.scrollWidth <= window.innerWidth;\n",
    "    result.errors = errors;\n",
    "    document.getElementById(\"self\").textContent = JSON.stringify(result);\n",
    "  }\n",
    "})();\n",
    NULL,
};

/* clang-format on */
