(* An unguarded fixpoint by a tactic, which only the kernel refuses, at the end. *)
(* statement: False *)
(* never: proved *)
fix f 1 with (g (n : nat) {struct n} : False). exact (g 0). exact (g n). Qed.
