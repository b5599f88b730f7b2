(* A comment with a quote in it, which begins a string there too. *)
(* statement: False *)
(* never: proved *)
idtac. (* " *) Admitted. (* " *) idtac.
