(* Proves something by a term, and goes on. *)
(* statement: True *)
(* never: proved *)
Proof I. Axiom magic : False.
