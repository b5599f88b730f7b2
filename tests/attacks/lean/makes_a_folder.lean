-- Makes a folder where it must not.
-- as: text
-- verdict: rejected
-- leaves: folder
@[command_elab Lean.Parser.Command.check]
def make : Lean.Elab.Command.CommandElab := fun _ _ _ world => IO.FS.createDir "FOLDER/folder" world
#check True
theorem goal : True := True.intro
