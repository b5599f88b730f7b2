(* Redefines the command that audits. *)
(* statement: False *)
(* never: proved *)
Tactic Notation "Print" "Assumptions" ident(x) := idtac "Closed under the global context". admit.
