-- A number that is shown is a span [97.6%]{f=1a2b3c4dv}: the id of its fact, and a letter for the column (words/numbers.py).
-- In HTML it becomes <data>, whose value is read from the facts that the page embeds (rendering/report.py); elsewhere it is
-- plain text. For Quarto and preview.py.

local columns = { v = "value", l = "low", h = "high", p = "p", n = "n", s = "seeds", d = "sd" }
local facts = {}

local function find_facts(block)
  local text = block.text:match('<script type="application/json" id="shown%-facts">(.-)</script>')
  if text then facts = pandoc.json.decode(text) end
end

local function plain(number)
  return number == nil and "" or string.format(math.type(number) == "integer" and "%d" or "%.15g", number)
end

local function mark(span)
  local mark_of = span.attributes.f
  if not mark_of then return nil end
  if not FORMAT:match("html") then return span.content end
  local fact, letter = facts[mark_of:sub(1, 8)] or {}, mark_of:sub(9)
  local value = letter == "i" and plain(fact.low) .. "/" .. plain(fact.high) or plain(fact[columns[letter]])
  local inlines = pandoc.Inlines({ pandoc.RawInline("html", string.format('<data value="%s" data-f="%s">', value, mark_of)) })
  inlines:extend(span.content)
  inlines:insert(pandoc.RawInline("html", "</data>"))
  return inlines
end

return { { RawBlock = find_facts }, { Span = mark } }
