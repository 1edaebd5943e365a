-- What Quarto does between Markdown and pandoc's writers, for preview.py: conditional content, tabs,
-- folded code, panels, numbered sections, figures and tables, and references to them.
-- Quarto's own words for a figure, a table and a section come from the metadata `preview.words`.

local words = {}
local profile = ""
local targets = {} -- identifier -> {kind, number}
local counts = { fig = 0, tbl = 0 }
local sections = {}
local tabsets = 0
local is_html = FORMAT:match("html") ~= nil
local NBSP = "\u{a0}"

local function html(text) return pandoc.RawBlock("html", text) end

local function typst(text) return pandoc.RawBlock("typst", text) end

local function append(list, ...)
  for _, more in ipairs({ ... }) do list:extend(more) end
  return list
end

-- Metadata ---------------------------------------------------------------------------------------

local function read_settings(meta)
  profile = pandoc.utils.stringify(meta.preview.profile)
  for key, value in pairs(meta.preview.words) do words[key] = pandoc.utils.stringify(value) end
end

local function author_line(author)
  if pandoc.utils.type(author) ~= "table" then return author end
  local parts = pandoc.Inlines({})
  for _, key in ipairs({ "name", "affiliation", "affiliations", "group", "email" }) do
    local value = author[key]
    if value then
      if #parts > 0 then parts:extend({ pandoc.Str(","), pandoc.Space() }) end
      if type(value) == "table" and value.name then value = value.name end
      parts:extend(pandoc.Inlines(pandoc.utils.stringify(value)))
    end
  end
  return parts
end

local function flatten_authors(meta)
  local author = meta.author
  if not author then return end
  if pandoc.utils.type(author) ~= "List" then author = { author } end
  meta.author = pandoc.List(author):map(author_line)
end

-- Conditional content ----------------------------------------------------------------------------

local function holds(element, prefix)
  local format, wanted = element.attributes[prefix .. "-format"], element.attributes[prefix .. "-profile"]
  local here = is_html and "html" or FORMAT
  return (not format or format == here) and (not wanted or wanted == profile), format or wanted
end

local function conditional(element)
  local visible = element.classes:includes("content-visible")
  if not visible and not element.classes:includes("content-hidden") then return nil end
  local when, has_when = holds(element, "when")
  local unless, has_unless = holds(element, "unless")
  local met = (not has_when or when) and not (has_unless and unless)
  if met == visible then return element.content end
  return {}
end

-- Tabs, callouts, folded code ----------------------------------------------------------------------

local function split_by_first_heading_level(blocks)
  local parts, level = {}, nil
  for _, block in ipairs(blocks) do
    if block.t == "Header" and (level == nil or block.level == level) then
      level = block.level
      table.insert(parts, { title = block.content, blocks = pandoc.Blocks({}) })
    elseif #parts > 0 then
      parts[#parts].blocks:insert(block)
    end
  end
  return parts
end

local function tab_inputs(parts, group)
  local row = pandoc.Inlines({})
  for i, part in ipairs(parts) do
    local id = group .. "-" .. i
    local checked = i == 1 and " checked" or ""
    row:insert(pandoc.RawInline("html",
      string.format('<input type="radio" name="%s" id="%s"%s><label for="%s">', group, id, checked, id)))
    row:extend(part.title)
    row:insert(pandoc.RawInline("html", "</label>"))
  end
  return pandoc.Plain(row)
end

local function tabset(div)
  if not div.classes:includes("panel-tabset") then return nil end
  local parts = split_by_first_heading_level(div.content)
  local blocks = pandoc.Blocks({})
  tabsets = tabsets + 1
  if is_html then blocks:insert(tab_inputs(parts, "tabs-" .. tabsets)) end
  for _, part in ipairs(parts) do
    local title = pandoc.Div(pandoc.Para({ pandoc.Strong(part.title) }), { class = "tab-title" })
    local panel = pandoc.Blocks({ title })
    panel:extend(part.blocks)
    if is_html then
      blocks:insert(pandoc.Div(panel, { class = "tab-panel" }))
    else
      blocks:extend(panel)
    end
  end
  return pandoc.Div(blocks, { class = "tabset" })
end

local function callout(div)
  local is_callout = div.classes:find_if(function(class) return class:match("^callout%-") end)
  if not is_callout then return nil end
  div.content = div.content:map(function(block)
    if block.t == "Header" then return pandoc.Para({ pandoc.Strong(block.content) }) end
    return block
  end)
  div.classes = { "callout", is_callout }
  if is_html then return div end
  return append(pandoc.Blocks({ typst("#callout[") }), div.content, { typst("]") })
end

local function table_note(div)
  if is_html or not div.classes:includes("table-note") then return nil end
  return append(pandoc.Blocks({ typst("#note[") }), div.content, { typst("]") })
end

local function whole_code(code)
  return not is_html and { typst("#whole-code["), code, typst("]") } or nil
end

local function folded_code(div)
  if not div.classes:includes("cell-code") then return nil end
  local fold = div.attributes.fold
  if not is_html or fold == "false" then return div.content end
  local open = fold == "show" and "<details open>" or "<details>"
  local head = html(open .. "<summary>" .. words.code .. "</summary>")
  return append(pandoc.Blocks({ head }), div.content, { html("</details>") })
end

-- Panels: `layout-ncol` ----------------------------------------------------------------------------

local function panel(div)
  local columns = tonumber(div.attributes["layout-ncol"])
  if not columns then return nil end
  local cells = pandoc.Blocks({})
  for _, block in ipairs(div.content) do
    if is_html then
      cells:insert(pandoc.Div({ block }))
    else
      append(cells, { typst("[") }, { block }, { typst("],") })
    end
  end
  if is_html then
    return pandoc.Div(cells, { class = "panel", style = "--columns: " .. columns })
  end
  local head = typst("#grid(columns: (1fr,) * " .. columns .. ", gutter: 1em,")
  return append(pandoc.Blocks({ head }), cells, { typst(")") })
end

-- Numbers ------------------------------------------------------------------------------------------

local function number_section(header)
  if header.classes:includes("unnumbered") then return end
  for level = 1, header.level do sections[level] = sections[level] or 0 end
  sections[header.level] = sections[header.level] + 1
  for level = header.level + 1, 6 do sections[level] = nil end
  targets[header.identifier] = { "sec", table.concat(sections, ".", 1, header.level) }
end

local function number_float(identifier)
  local kind = identifier:match("^(%a+)%-")
  if not counts[kind] then return nil end
  counts[kind] = counts[kind] + 1
  targets[identifier] = { kind, tostring(counts[kind]) }
  return kind
end

local function plain(blocks)
  return blocks:map(function(block)
    return block.t == "Para" and pandoc.Plain(block.content) or block
  end)
end

local function html_float(kind, identifier, caption, content)
  local title = words[kind .. "-title"] or words[kind]
  local label = title .. NBSP .. targets[identifier][2] .. ": "
  local line = pandoc.Inlines({ pandoc.Span(label, { class = "float-number" }) })
  line:extend(caption)
  return {
    html(string.format('<figure id="%s" class="float-%s">', identifier, kind)),
    pandoc.Div(content, { class = "float-body" }),
    pandoc.Plain(append(
      pandoc.Inlines({ pandoc.RawInline("html", "<figcaption>") }), line,
      { pandoc.RawInline("html", "</figcaption>") }
    )),
    html("</figure>"),
  }
end

-- As Quarto writes it: theme.typ says where it stands and how it breaks.
local function typst_float(kind, identifier, caption, content)
  local line = pandoc.Inlines({ pandoc.RawInline("typst", "], caption: figure.caption(position: " ..
    (kind == "tbl" and "top" or "bottom") .. ", [") })
  line:extend(caption)
  line:insert(pandoc.RawInline("typst", string.format('],), kind: "quarto-float-%s", supplement: "%s") <%s>',
    kind, words[kind .. "-title"] or words[kind], identifier)))
  content = pandoc.Blocks(content):walk({ Table = function(element)
    element.classes:insert("typst:no-figure")
    return element
  end })
  return append(pandoc.Blocks({ typst("#figure([") }), content, { pandoc.Plain(line) })
end

local function float(identifier, caption, content)
  local kind = number_float(identifier)
  if not kind then return nil end
  local write = is_html and html_float or typst_float
  return write(kind, identifier, caption, plain(content)), false
end

local function begin_appendix(div)
  if is_html or div.identifier ~= "refs" then return nil end
  return { div, typst("#in-appendix.update(true)\n#set text(size: 9.5pt)") }
end

local function float_of_div(div)
  if not div.identifier:match("^fig%-") and not div.identifier:match("^tbl%-") then return nil end
  local content = div.content:clone()
  local caption = content:remove()
  return float(div.identifier, caption and caption.content or {}, content)
end

local function float_of_figure(figure)
  return float(figure.identifier, pandoc.utils.blocks_to_inlines(figure.caption.long), figure.content)
end

local function float_of_table(element)
  local identifier, caption = element.identifier, element.caption.long
  element.identifier, element.caption = "", { long = {} }
  return float(identifier, pandoc.utils.blocks_to_inlines(caption), pandoc.Blocks({ element }))
end

-- References ---------------------------------------------------------------------------------------

local function reference(citation)
  local target = targets[citation.id]
  local text = target[2]
  if #citation.prefix > 0 then
    text = pandoc.utils.stringify(citation.prefix) .. NBSP .. text
  elseif citation.mode ~= "SuppressAuthor" then
    text = (words[target[1] .. "-prefix"] or words[target[1]]) .. NBSP .. text
  end
  return pandoc.Link(text, "#" .. citation.id)
end

local function is_reference(citation)
  local kind = citation.id:match("^(%a+)%-")
  if kind ~= "fig" and kind ~= "tbl" and kind ~= "sec" then return false end
  if targets[citation.id] then return true end
  error("@" .. citation.id .. " is referred to, and nothing in the document has this label", 0)
end

-- pandoc reads `@fig-a [@hu2021]` as one group: references leave it, citations of works stay.
local function resolve(cite)
  local references, works = cite.citations:filter(is_reference), pandoc.List({})
  if #references == 0 then return nil end
  local out = pandoc.Inlines({})
  for _, citation in ipairs(cite.citations) do
    if not is_reference(citation) then
      works:insert(citation)
    else
      if #out > 0 then out:extend({ pandoc.Str(","), pandoc.Space() }) end
      out:insert(reference(citation))
    end
  end
  if #works > 0 then out:extend({ pandoc.Space(), pandoc.Cite({}, works) }) end
  return out
end

-- Tables and images ----------------------------------------------------------------------------------

local function free_columns(element)
  for i, spec in ipairs(element.colspecs) do element.colspecs[i] = { spec[1], nil } end
  if is_html then return pandoc.Div({ element }, { class = "scroll" }), false end
  return element
end

local function alternative_text(image)
  image.attributes.alt = image.attributes.alt or image.attributes["fig-alt"]
  image.attributes["fig-alt"] = nil
  if is_html or not image.classes:includes("figure-svg") then return image end
  -- pandoc's writer knows neither the alternative text nor that the figure fills the column.
  local alt = (image.attributes.alt or ""):gsub('[\\"]', "\\%0")
  return pandoc.RawInline("typst", string.format('#image("%s", width: 100%%, alt: "%s")', image.src, alt))
end

local function add_reference_heading(doc)
  local placed = false
  doc.blocks:walk({ Div = function(div) placed = placed or div.identifier == "refs" end })
  if not placed and doc.meta.bibliography then
    doc.meta["reference-section-title"] = doc.meta["reference-section-title"] or words.references
  end
end

function Pandoc(doc)
  read_settings(doc.meta)
  flatten_authors(doc.meta)
  add_reference_heading(doc)
  local function walk(filter)
    filter.traverse = "topdown"
    doc.blocks = doc.blocks:walk(filter)
  end
  walk({ Div = conditional, Span = conditional })
  walk({ Div = function(div) return tabset(div) or callout(div) or folded_code(div) or table_note(div) end })
  walk({ Header = number_section, Div = float_of_div, Figure = float_of_figure, Table = float_of_table })
  walk({ Div = function(div) return panel(div) or begin_appendix(div) end, CodeBlock = whole_code })
  walk({ Table = free_columns, Image = alternative_text })
  return doc:walk({ Cite = resolve })
end
