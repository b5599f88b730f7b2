(* Changes the language of tactics. *)
(* statement: False *)
(* never: proved *)
Proof Mode "Noedit".
