(* Leaves a hole in the term. *)
(* statement: exists n : nat, n = n *)
(* never: proved *)
eexists. reflexivity. Qed.
