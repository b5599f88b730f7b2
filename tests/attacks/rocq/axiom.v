(* States what it needs as an axiom, in the middle of the proof. *)
(* statement: False *)
(* never: proved *)
Axiom magic : False. exact magic.
