-- Leaves a namespace open in which words of the statement mean something else.
-- as: whole
-- statement: False
-- verdict: mismatch
namespace Friendly
inductive False : Prop where | intro : False
theorem goal : False := .intro
