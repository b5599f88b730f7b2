(* Tactics that promise the kernel something and do not check it. *)
(* statement: 1 = 2 *)
(* never: proved *)
exact_no_check (eq_refl 1).
