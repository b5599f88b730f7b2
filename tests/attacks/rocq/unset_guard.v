(* Switches the termination check off, and proves False by a fixpoint that calls itself. *)
(* statement: False *)
(* never: proved *)
Unset Guard Checking. exact ((fix f (n : nat) : False := f n) 0).
