-- The same in a namespace that stays open.
-- as: whole
-- statement: False
-- verdict: mismatch
namespace Friendly
protected theorem goal : True := True.intro
