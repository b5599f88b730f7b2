(* The same in a text: accepted by Rocq itself, without a word about it. *)
(* name: goal *)
(* never: proved *)
Unset Guard Checking.
Fixpoint f (n : nat) {struct n} : False := f n.
Theorem goal : False. Proof. exact (f 0). Qed.
