/-
As much of a library as the tests of Lean need. Types and functions bear the names by which Lean itself knows them; what
has the attribute `extern` is what Lean has of that name.
-/
prelude
set_option autoImplicit false
set_option genCtorIdx false
set_option linter.unusedVariables false
universe u v w
unsafe axiom lcProof {α : Prop} : α
unsafe axiom lcAny : Type
unsafe axiom lcErased : Type
unsafe axiom lcVoid : Type
set_option bootstrap.inductiveCheckResultingUniverse false in
inductive PUnit : Sort u where
  | unit : PUnit
abbrev Unit : Type := PUnit
@[match_pattern] abbrev Unit.unit : Unit := PUnit.unit
inductive True : Prop where | intro : True
inductive False : Prop
def False.elim {C : Sort u} (h : False) : C := h.rec
inductive Eq {α : Sort u} : α → α → Prop where
  | refl (a : α) : Eq a a
abbrev Eq.ndrec.{u1, u2} {α : Sort u2} {a : α} {motive : α → Sort u1} (m : motive a) {b : α} (h : Eq a b) : motive b :=
  h.rec m
inductive HEq {α : Sort u} : α → {β : Sort u} → β → Prop where
  | refl (a : α) : HEq a a
def cast {α β : Sort u} (h : Eq α β) (a : α) : β := h.rec a
theorem eq_of_heq {α : Sort u} {a b : α} (h : HEq a b) : Eq a b :=
  @HEq.rec α a (fun {β} b _ => (e : Eq α β) → Eq (cast e a) b) (fun (e : Eq α α) => Eq.refl a) α b h (Eq.refl α)
theorem heq_of_eq {α : Sort u} {a b : α} (h : Eq a b) : HEq a b := h.rec (HEq.refl a)
def id {α : Sort u} (a : α) : α := a
structure And (a b : Prop) : Prop where
  intro ::
  left : a
  right : b
inductive Or (a b : Prop) : Prop where
  | inl (h : a) : Or a b
  | inr (h : b) : Or a b
def Not (a : Prop) : Prop := a → False
structure PProd (α : Sort u) (β : Sort v) where
  fst : α
  snd : β
inductive Bool : Type where | false : Bool | true : Bool
inductive Nat where | zero : Nat | succ (n : Nat) : Nat
inductive List (α : Type u) where
  | nil : List α
  | cons (head : α) (tail : List α) : List α
class inductive Decidable (p : Prop) where
  | isFalse (h : Not p) : Decidable p
  | isTrue (h : p) : Decidable p
def Decidable.decide (p : Prop) [h : Decidable p] : Bool := h.casesOn (fun _ => Bool.false) (fun _ => Bool.true)
theorem of_decide_eq_true {p : Prop} [h : Decidable p] (e : Eq (Decidable.decide p) Bool.true) : p :=
  h.rec (motive := fun d => Eq (@Decidable.decide p d) Bool.true → p)
    (fun _ (e : Eq Bool.false Bool.true) =>
      @Eq.rec Bool Bool.false (fun b _ => @Bool.rec (fun _ => Prop) True p b) True.intro Bool.true e)
    (fun h _ => h) e
instance : Decidable True := .isTrue .intro
instance : Decidable False := .isFalse id
class OfNat (α : Type u) (_ : Nat) where
  ofNat : α
instance (n : Nat) : OfNat Nat n := ⟨n⟩
abbrev Function.const {α : Sort u} (β : Sort v) (a : α) : β → α := fun _ => a
structure Char where
  val : Nat
structure String where
  data : List Char
-- Compiled code knows these by name: it runs what Lean itself is made of.
inductive Lean.Name where
  | anonymous : Lean.Name
  | str (pre : Lean.Name) (str : String)
  | num (pre : Lean.Name) (i : Nat)
@[noinline] def Lean.Name.mkStr1 (a : String) : Lean.Name := .str .anonymous a
@[noinline] def Lean.Name.mkStr2 (a b : String) : Lean.Name := .str (mkStr1 a) b
@[noinline] def Lean.Name.mkStr3 (a b c : String) : Lean.Name := .str (mkStr2 a b) c
@[noinline] def Lean.Name.mkStr4 (a b c d : String) : Lean.Name := .str (mkStr3 a b c) d
inductive Lean.ParserDescr where
  | const (name : Lean.Name)
  | unary (name : Lean.Name) (p : Lean.ParserDescr)
  | binary (name : Lean.Name) (p₁ p₂ : Lean.ParserDescr)
  | node (kind : Lean.Name) (prec : Nat) (p : Lean.ParserDescr)
  | trailingNode (kind : Lean.Name) (prec lhsPrec : Nat) (p : Lean.ParserDescr)
  | symbol (val : String)
  | nonReservedSymbol (val : String) (includeIdent : Bool)
  | cat (catName : Lean.Name) (rbp : Nat)
  | parser (declName : Lean.Name)
  | nodeWithAntiquot (name : String) (kind : Lean.Name) (p : Lean.ParserDescr)
  | sepBy (p : Lean.ParserDescr) (sep : String) (psep : Lean.ParserDescr) (allowTrailingSep : Bool)
  | sepBy1 (p : Lean.ParserDescr) (sep : String) (psep : Lean.ParserDescr) (allowTrailingSep : Bool)
  | unicodeSymbol (val asciiVal : String) (preserveForPP : Bool)
namespace Lean.Parser.Tactic
syntax (name := exact) "exact " term : tactic
syntax (name := apply) "apply " term : tactic
syntax (name := intro) "intro" many(colGt term:1024) : tactic
syntax (name := assumption) "assumption" : tactic
syntax (name := constructor) "constructor" : tactic
end Lean.Parser.Tactic
-- What an action comes to, and what a user's elaborator of commands is: its arguments are all the same to us.
inductive Out where
  | ok (value : Unit)
  | error (why : String)
abbrev Lean.Elab.Command.CommandElab : Type := String → String → String → String → Out
@[extern "lean_io_create_dir"] opaque IO.FS.createDir (path world : String) : Out := .ok .unit
@[extern "lean_io_remove_file"] opaque IO.FS.removeFile (path world : String) : Out := .ok .unit
@[extern "lean_io_exit"] opaque IO.Process.exit (kind : Unit) (code : Nat) (world : String) : Out := .ok .unit
@[extern "l_IO_FS_writeFile"] opaque IO.FS.writeFile (path text world : String) : Out := .ok .unit
axiom propext {a b : Prop} : (a → b) → (b → a) → Eq a b
@[never_extract]
axiom sorryAx (α : Sort u) (synthetic : Bool) : α
