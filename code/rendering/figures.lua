-- Figures carry their alternative text in the SVG (dc:description): it becomes the image's own. In HTML
-- the SVG is inlined, so that figures.css can recolour it for a dark page. For Quarto and preview.py.
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
