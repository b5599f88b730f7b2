(* Allows proofs in proofs, and proves another theorem of the same name inside. *)
(* statement: False *)
(* never: proved *)
Set Nested Proofs Allowed. Theorem porism_goal : True. exact I. Qed.
