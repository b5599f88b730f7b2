(* Ends the proof properly, and goes on with an axiom. *)
(* statement: True *)
(* never: proved *)
exact I. Qed. Axiom magic : False.
