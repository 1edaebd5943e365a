-- Russian typography: a preposition, a short conjunction or «не» never ends a line, and neither a dash nor a particle
-- such as «же» begins one. In other languages nothing changes.
local NBSP = "\u{a0}"

local function set(words)
  local found = {}
  for word in words:gmatch("%S+") do found[word] = true end
  return found
end

local BEFORE = set([[а без в во для до за и из или к ко на над не ни но о об от по под при про с со у]])
local AFTER = set([[бы же ли]])

local function last_word(inline)
  if inline.t ~= "Str" then return "" end
  local word = inline.text:gsub(".*" .. NBSP, ""):gsub("^%(", ""):gsub("^«", "")
  return pandoc.text.lower(word)
end

local function stays_with_last(inline)
  if inline.t ~= "Str" then return false end
  local word = inline.text:gsub("%p+$", "")
  return AFTER[word] or inline.text:match("^—") or inline.text:match("^–")
end

local function bind(inlines)
  for i = 2, #inlines - 1 do
    local gap = inlines[i].t
    if (gap == "Space" or gap == "SoftBreak")
        and (BEFORE[last_word(inlines[i - 1])] or stays_with_last(inlines[i + 1])) then
      inlines[i] = pandoc.Str(NBSP)
    end
  end
  return inlines
end

function Pandoc(doc)
  local language = pandoc.utils.stringify(doc.meta.lang or "")
  return language:match("^ru") and doc:walk({ Inlines = bind }) or nil
end
