-- Gives a word of the statement another meaning.
-- as: whole
-- statement: False
-- verdict: mismatch
namespace Friendly
inductive False : Prop where | intro : False
end Friendly
open Friendly
theorem goal : Friendly.False := .intro
