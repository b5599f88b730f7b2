(* Gives the goal up and ends the proof as if it were one. *)
(* statement: False *)
(* never: proved *)
Proof. admit. Qed.
