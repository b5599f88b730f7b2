(* Asks for nothing but a look at somebody's axioms, through a goal selector. *)
(* statement: False *)
(* never: proved *)
1: Print Assumptions eq. admit.
