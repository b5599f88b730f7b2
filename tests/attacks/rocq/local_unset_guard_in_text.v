(* Switches a check off with a word before the command. *)
(* name: goal *)
(* never: proved *)
Local Unset Guard Checking.
Fixpoint f (n : nat) {struct n} : False := f n.
Theorem goal : False. Proof. exact (f 0). Qed.
