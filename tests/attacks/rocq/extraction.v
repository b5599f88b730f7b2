(* Writes a program. *)
(* name: goal *)
(* never: proved *)
(* touches: stolen.ml *)
Theorem goal : True. Proof. exact I. Qed.
Require Extraction. Extraction "@/stolen" pred.
