-- Figures carry their alternative text in the SVG (dc:description): it becomes the image's own. In HTML
-- the SVG is inlined, so that figures.css can recolour it for a dark page. Tables keep their natural width where
-- their lines are short to a reader: pandoc fixes the widths of columns where a line of the source is long, as the
-- marks of numbers make it. For Quarto and preview.py.
-- `--to pdf` means LaTeX, for which nothing here is made: it ends with a sentence.

local entities = { ["&lt;"] = "<", ["&gt;"] = ">", ["&quot;"] = '"', ["&amp;"] = "&" }

local function description(path)
  local file = io.open(path, "r")
  if not file then return nil end
  local head = file:read(60000) or ""
  file:close()
  local text = head:match("<dc:description>(.-)</dc:description>")
  return text and text:gsub("&%a+;", entities):gsub("%s+", " ")
end

if FORMAT:match("latex") or FORMAT == "beamer" then
  io.stderr:write("\nerror: the PDF of this report is made by Typst, not by LaTeX; " ..
    "do: quarto render <document> --to typst (also: --to html, --to docx)\n\n")
  os.exit(1)
end

function Image(image)
  if not image.src:match("%.svg$") then return nil end
  local text = description(image.src)
  if text then
    image.attributes["alt"], image.attributes["fig-alt"] = text, text
  end
  image.classes:insert(FORMAT:match("html") and "inline-svg" or "figure-svg")
  return image
end

-- A figure or table of experiments that were not made: a chunk without output leaves its caption alone.
function Div(element)
  local kind = element.identifier:match("^(%a+)%-")
  local labelled = kind == "fig" or kind == "tbl"
  if labelled and #element.content <= 1 and (not element.content[1] or element.content[1].t == "Para") then
    return {}
  end
end

local LINE = 72 -- characters from which on pandoc takes a table's widths from its rule

local function length(row)
  local characters = 1
  for _, cell in ipairs(row.cells) do
    characters = characters + pandoc.text.len(pandoc.utils.stringify(cell.contents)) + 3
  end
  return characters
end

function Table(element)
  local longest = 0
  for _, row in ipairs(element.head.rows) do longest = math.max(longest, length(row)) end
  for _, body in ipairs(element.bodies) do
    for _, row in ipairs(body.body) do longest = math.max(longest, length(row)) end
  end
  if longest > LINE then return nil end
  element.colspecs = element.colspecs:map(function(spec) return { spec[1], nil } end)
  return element
end
