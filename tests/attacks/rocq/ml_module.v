(* Loads code into the checker. *)
(* name: goal *)
(* never: proved *)
Local Declare ML Module "extraction_plugin". Theorem goal : True. Proof. exact I. Qed.
