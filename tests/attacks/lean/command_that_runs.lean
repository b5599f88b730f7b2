-- Has Lean read on after an error, so that a command runs in a process that is kept, and waits there for other proofs.
-- as: proof
-- statement: True
-- verdict: rejected
True.intro
#eval IO.FS.writeFile "FOLDER/file" "1.0"
