(* Writes a file. *)
(* name: goal *)
(* never: proved *)
(* touches: stolen.out *)
Theorem goal : True. Proof. exact I. Qed.
Time Redirect "@/stolen" Print goal.
