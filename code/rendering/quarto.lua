-- What Quarto 1.7 leaves out of the Typst source, written as preview.lua writes it. For Quarto only.
-- Unnumbered headings lose their label (links to it stop the compiler) and stand in a block of their own, so
-- that one may be alone at a page's foot; images lose their alternative text; the PDF has no title; a block of
-- code breaks anywhere.

if FORMAT ~= "typst" then return {} end

local function quoted(text) return '"' .. text:gsub('[\\"]', "\\%0") .. '"' end

local function name_document(meta)
  if not meta.title then return end
  local title = quoted(pandoc.utils.stringify(meta.title))
  quarto.doc.include_text("in-header", "#set document(title: " .. title .. ")")
end

local function label_heading(header)
  if not header.classes:includes("unnumbered") then return nil end
  local opening = string.format("#heading(level: %d, numbering: none)[", header.level)
  local line = pandoc.Inlines({ pandoc.RawInline("typst", opening) })
  line:extend(header.content)
  line:insert(pandoc.RawInline("typst", "] <" .. header.identifier .. ">"))
  return pandoc.Plain(line)
end

local function describe_image(image)
  if not image.classes:includes("figure-svg") then return nil end
  local alt = quoted(image.attributes["fig-alt"] or "")
  return pandoc.RawInline("typst", string.format("#image(%s, width: 100%%, alt: %s)", quoted(image.src), alt))
end

local function table_note(div)
  if not div.classes:includes("table-note") then return nil end
  div.content:insert(1, pandoc.RawBlock("typst", "#note["))
  div.content:insert(pandoc.RawBlock("typst", "]"))
  return div.content
end

local function keep_whole(code)
  return { pandoc.RawBlock("typst", "#whole-code["), code, pandoc.RawBlock("typst", "]") }
end

local function begin_appendix(div)
  if div.identifier ~= "refs" then return nil end
  return { div, pandoc.RawBlock("typst", "#in-appendix.update(true)\n#set text(size: 9.5pt)") }
end

local function div(element) return table_note(element) or begin_appendix(element) end

return { { Meta = name_document, Header = label_heading, Image = describe_image, Div = div, CodeBlock = keep_whole } }
