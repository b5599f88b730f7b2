-- Makes a list that grows until there is no memory.
-- as: text
-- verdict: memory
unsafe def grow (units : List Unit) : Out := grow (.cons .unit units)
@[command_elab Lean.Parser.Command.check]
unsafe def take : Lean.Elab.Command.CommandElab := fun _ _ _ _ => grow .nil
#check True
theorem goal : True := True.intro
