import Testing

@testable import ItoCommand

@Suite("Drawing and reproducing", .enabled(if: Program.path != nil), .serialized)
struct PictureTests {
  private let folder = TemporaryFolder()

  private func ito(_ arguments: String...) -> Program.Outcome {
    Program.run(arguments + ["--threads", "1"], in: folder)
  }

  @Test("a picture is drawn again from its own notes, in every format")
  func reproduce() {
    let first = folder.path + "/first.png", again = folder.path + "/again.png"
    let drawn = ito(
      "generate", "sneaker", "--model", "fashion-mnist", "--seed", "5", "--steps", "3", "--output",
      first)
    #expect(drawn.status == 0, "\(drawn.text)")
    let reproduced = ito("reproduce", first, "--output", again)
    #expect(reproduced.status == 0, "\(reproduced.text)")
    #expect(reproduced.text.contains("every pixel is the same"), "\(reproduced.text)")
    let jpeg = folder.path + "/first.jpg"
    #expect(
      ito("generate", "bag", "--model", "fashion-mnist", "--steps", "3", "--output", jpeg).status
        == 0)
    let told = ito("reproduce", jpeg, "--read-only")
    #expect(told.status == 0 && told.text.contains("Steps: 3"), "\(told.text)")
  }

  @Test("a picture that says nothing, a missing one and no picture are refused in words")
  func refused() {
    let text = folder.path + "/notes.txt"
    folder.write("notes.txt", "no picture")
    for outcome in [ito("reproduce", text), ito("reproduce", folder.path + "/absent.png")] {
      #expect(outcome.status != 0 && !outcome.text.contains("Fatal"), "\(outcome.text)")
    }
  }

  @Test("options that contradict each other are refused before anything is loaded")
  func contradictions() {
    for arguments in [
      ["--mask", "m.png"], ["--strength", "0.5"], ["--strength", "2", "--init", "x.png"],
      ["--guidance", "none", "--cfg-scale", "3"], ["--size", "8x8", "--width", "8"],
      ["--refiner-start", "0.5"], ["--preview", "0"], ["--taesd", "x"], ["--count", "0"],
      ["--clip-skip", "0"], ["--prompt-style", "klingon"], ["--guidance-rescale", "0.5"],
    ] {
      let outcome = Program.run(["generate", "sneaker"] + arguments, in: folder)
      #expect(outcome.status != 0, "\(arguments)")
    }
  }

  @Test(
    "sheets leave few places empty",
    arguments: [(1, 1), (3, 3), (10, 10), (12, 6), (13, 7), (40, 10), (11, 6), (100, 10)])
  func sheetColumns(count: Int, columns: Int) {
    #expect(PictureOutput.columns(for: count) == columns)
  }

  @Test("prompts are read from a file, one a line; one without any is refused")
  func promptFile() {
    let sheet = folder.path + "/sheet.png"
    folder.write("prompts.txt", "sneaker\r\n\n  \nbag\n")
    folder.write("blank.txt", "\n \n")
    let drawn = ito(
      "generate", "--from-file", folder.path + "/prompts.txt", "--model", "fashion-mnist",
      "--steps", "2", "--sheet", sheet)
    #expect(drawn.status == 0 && drawn.text.contains("2 pictures"), "\(drawn.text)")
    for file in ["/blank.txt", "/absent.txt"] {
      let refused = ito("generate", "--from-file", folder.path + file, "--model", "fashion-mnist")
      #expect(refused.status != 0 && refused.text.contains(file), "\(refused.text)")
    }
  }

  @Test("previews are written while a picture is drawn")
  func previews() {
    let preview = folder.path + "/look.png"
    let outcome = ito(
      "generate", "coat", "--model", "fashion-mnist", "--steps", "4", "--preview", "2",
      "--preview-path", preview, "--output",
      folder.path + "/coat.png")
    #expect(outcome.status == 0, "\(outcome.text)")
    #expect(folder.bytes(preview).count > 60)
  }
}
