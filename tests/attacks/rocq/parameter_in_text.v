(* The same with the words that nobody looks for. *)
(* name: goal *)
(* never: proved *)
Parameters (a : nat) (magic : a = a -> False).
Conjecture other : False.
Theorem goal : 1 = 2. Proof. destruct (magic eq_refl). Qed.
