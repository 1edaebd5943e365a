"""Texts that try to be more than text, for every field that a report shows.

Each has been seen to act in a document that fills it in raw: a script that runs, a file that is
read, a name that becomes maths. ``shown`` says what a reader must see instead: the text itself.
"""

import re
import unicodedata

PAYLOADS = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "<svg/onload=alert(1)>",
    "<iframe src='https://example.org'></iframe>",
    "<a href='javascript:alert(1)'>click</a>",
    "</td></tr></table><h1>out</h1>",
    "<!-- comment --> <![CDATA[x]]> <?php 1 ?>",
    "&lt;b&gt; &amp; &#60;script&#62; &copy;",
    "![x](https://example.org/x.png)",
    "![x](/etc/passwd)",
    "[x](https://example.org){.class onclick=alert(1)}",
    "[x][y] [y]: https://example.org",
    "<https://example.org> https://example.org/a_b_c",
    "[^1] ^[a note] [^1]: note",
    "a | b || c |",
    "``` {=html} <script>alert(1)</script> ```",
    "`<script>alert(1)</script>`{=html}",
    '`#read("/etc/passwd")`{=typst}',
    '#read("/etc/passwd") #import "x"',
    "``` {python} import os ```",
    "`{python} 1 + 1`",
    "::: {.content-hidden}",
    ":::",
    "{{< env HOME >}}",
    "`{{< env HOME >}}`",
    "{{< include /etc/passwd >}}",
    "{{< video https://example.org >}}",
    "@vaswani2017attention [@nobody; -@nowhere]",
    "@fig-x and @tbl-y, @sec-z",
    "$x^2$ $$\\frac{1}$$ \\(a\\) \\[b\\]",
    "$\\frac{1}$",
    "\\input{/etc/passwd} \\begin{x}\\end{x}",
    "H~2~O x^2^ ~~gone~~ *a* **b** _c_ __d__",
    "it's \"quoted\" -- and --- so on ... 'til",
    "# heading",
    "> quote",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "(a) item",
    "a) item",
    "(@good) item",
    ": definition",
    "---",
    "===",
    "% title",
    "| line block",
    "term\n: two lines\n\n# three",
    "tab\there",
    "\\",
    "\\\\ \\* \\",
    "a\u00a0b\u202fc",
    "e\u0301 \u05e9\u05dc\u05d5\u05dd \u202eabc\u202c \u200b\u200d 👩‍👩‍👧 ﷽",
    "nul\x00 bell\x07 escape\x1b[31m",
    "../../victim",
    "$(touch owned) `touch owned` ; rm -rf x",
    "%41 %s {0} {first} {}",
    "w" * 400,
)


def shown(text: str) -> str:
    """What a reader sees of a text: blanks in one, control characters replaced."""
    blanks = re.sub(r"[ \t\r\n\f\v\x1c-\x1f\x85\u2028\u2029]+", " ", text).strip(" ")
    return "".join("\ufffd" if unicodedata.category(c) == "Cc" else c for c in blanks)
